//go:build unix

package disk

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"sync"
	"syscall"
)

// hasOwners says that files have an owner and a mode here.
const hasOwners = true

// plainOnly makes opening a link an error, and opening a pipe no wait for whoever is at its other end.
const plainOnly = syscall.O_NOFOLLOW | syscall.O_NONBLOCK

func ours(info fs.FileInfo) bool {
	stat, ok := info.Sys().(*syscall.Stat_t)
	return ok && int(stat.Uid) == os.Geteuid()
}

// Stranger names a file's owner if that is neither this user nor root; else it is "". An owner can write the file
// whatever its mode is now. On Windows it is always "", and so is Writers.
func Stranger(info fs.FileInfo) string {
	stat, ok := info.Sys().(*syscall.Stat_t)
	if !ok || stat.Uid == 0 || int(stat.Uid) == os.Geteuid() || stat.Uid == rootHere() {
		return ""
	}
	return fmt.Sprintf("another user (uid %d)", stat.Uid)
}

// rootHere is the owner of the root directory, as this process sees it. In a user namespace that maps this user only,
// such as the sandbox of a systemd service, the files of root and of all other users show one and the same owner: root
// and the others cannot be told apart there.
var rootHere = sync.OnceValue(func() uint32 {
	info, err := os.Stat("/")
	if err != nil {
		return 0
	}
	stat, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return 0
	}
	return stat.Uid
})

// Writers says who besides the owner can write a file; "" if nobody can. A group that has the owner's number does not
// count: systems that make such a group make it for that user alone.
func Writers(info fs.FileInfo) string {
	stat, ok := info.Sys().(*syscall.Stat_t)
	switch perm := info.Mode().Perm(); {
	case perm&0o002 != 0:
		return "everybody"
	case perm&0o020 != 0 && (!ok || stat.Gid != stat.Uid):
		return "its group"
	}
	return ""
}

// keepGroup gives f the group that info tells of.
func keepGroup(f *os.File, info fs.FileInfo) error {
	stat, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return nil
	}
	fresh, err := f.Stat()
	if err != nil {
		return err
	}
	if now, ok := fresh.Sys().(*syscall.Stat_t); ok && now.Gid == stat.Gid {
		return nil
	}
	return f.Chown(-1, int(stat.Gid))
}

// syncDir makes a rename in the directory last through a power cut, where the file system can do that.
func syncDir(path string) error {
	dir, err := os.Open(path)
	if err != nil {
		return err
	}
	defer dir.Close()
	if err := dir.Sync(); !errors.Is(err, syscall.EINVAL) {
		return err
	}
	return nil
}
