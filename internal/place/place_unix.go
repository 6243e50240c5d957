//go:build unix

package place

import (
	"os"
	"path"
	"syscall"

	"github.com/tcred/tcred/api"
	"github.com/tcred/tcred/internal/human"
	"github.com/tcred/tcred/internal/socket"
)

// checkHome refuses root with another user's HOME, as sudo may leave it: root's files would land there, and
// root would read that user's config.
func checkHome() error {
	home := os.Getenv("HOME")
	if os.Geteuid() != 0 || home == "" {
		return nil
	}
	info, err := os.Stat(home)
	if err != nil {
		return nil // nobody's
	}
	return checkHomeOwner(home, int(info.Sys().(*syscall.Stat_t).Uid))
}

func checkHomeOwner(home string, owner int) error {
	if owner == 0 {
		return nil
	}
	return &api.Error{
		Code:    api.Forbidden,
		Message: "this is root, but HOME is " + human.Quote(home) + ", which belongs to uid " + human.Itoa(owner, 10),
		Hint:    "run it without sudo, or with root's own home: sudo -H",
	}
}

// runtimeDir is /run/user/<euid> if that is a directory of ours alone, else "": cron, su and containers leave
// XDG_RUNTIME_DIR unset whether or not the directory is there.
func runtimeDir() string {
	dir := "/run/user/" + human.Itoa(os.Geteuid(), 10)
	if socket.CheckDir(dir) != nil {
		return ""
	}
	return dir
}

func isAbs(name string) bool { return path.IsAbs(name) }

func join(dir string, names ...string) string { return path.Join(append([]string{dir}, names...)...) }

func clean(name string) string { return path.Clean(name) }
