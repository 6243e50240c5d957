package cli

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/user"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/gofrs/flock"

	"github.com/tcred/tcred/api"
	"github.com/tcred/tcred/client"
	"github.com/tcred/tcred/internal/place"
	"github.com/tcred/tcred/internal/socket"
	"github.com/tcred/tcred/packaging"
)

// find asks systemd where units are.
func (m *systemd) find(ctx context.Context) error {
	found, err := systemctl("show", "--property=UnitPath", "--value").output(ctx)
	if err != nil || found == "" {
		return noSystemd(err)
	}
	path := words(found)
	home, err := os.UserHomeDir()
	if err != nil {
		return fmt.Errorf("finding a place for the units: %w", err)
	}
	m.dir = filepath.Join(home, ".config", "systemd", "user")
	if dir := os.Getenv("XDG_CONFIG_HOME"); dir != "" { // systemd need not have the shell's
		if dir = filepath.Join(dir, "systemd", "user"); slices.Contains(path, dir) {
			m.dir = dir
		}
	}
	for _, dir := range path {
		if dir != m.dir && isFile(filepath.Join(dir, packaging.SystemdServiceName)) && isFile(filepath.Join(dir, packaging.SystemdSocketName)) {
			m.packaged = dir
			break
		}
	}
	return nil
}

// words are the paths in a list that systemctl prints: it quotes those with blanks or signs of the shell.
func words(list string) (paths []string) {
	for _, m := range wordOfList.FindAllStringSubmatch(list, -1) {
		if m[1] != "" {
			m[0] = escaped.ReplaceAllString(m[1], "$1")
		}
		paths = append(paths, m[0])
	}
	return paths
}

var (
	wordOfList = regexp.MustCompile(`"((?:[^"\\]|\\.)*)"|\S+`)
	escaped    = regexp.MustCompile(`\\(.)`)
)

func noSystemd(cause error) error {
	name := "$USER"
	if u, err := user.Current(); err == nil {
		name = u.Username
	}
	hint := "none is needed, the helper starts the daemon by itself; for a user who is not logged in: loginctl enable-linger " +
		name + "; under another supervisor run: tcred daemon --service"
	if os.Geteuid() == 0 && os.Getenv("SUDO_USER") != "" {
		hint = "run it without sudo: the service is a user's own"
	}
	return &api.Error{
		Code: api.NotFound, Message: fmt.Sprintf("there is no systemd of this user to ask: %v", cause), Hint: hint, Cause: cause,
	}
}

// ourMark is the first line of what install writes.
const ourMark = "# Written by tcred service install. Changes go into a drop-in: systemctl --user edit tcred.service\n"

// isOurs reports whether install wrote the file at path, or there is none.
func isOurs(path string) bool {
	info, err := os.Lstat(path)
	if err != nil || !info.Mode().IsRegular() { // a link leads to what somebody keeps elsewhere
		return errors.Is(err, fs.ErrNotExist)
	}
	text, err := os.ReadFile(path)
	return err == nil && strings.HasPrefix(string(text), ourMark)
}

// differs reports whether a file is not what install would write.
func differs(file [2]string) bool {
	old, _ := os.ReadFile(file[0]) // none is ""
	return string(old) != file[1]
}

// files are what install writes, by path; a file whose text is "" should not be there.
func (m *systemd) files(ctx context.Context) ([][2]string, error) {
	path, err := place.Socket()
	if err != nil {
		return nil, err
	}
	socketDropIn, env := "", environment()
	if path == defaultSystemdSocket() {
		env = slices.DeleteFunc(env, func(s packaging.Setting) bool { return s.Name == api.EnvSocket })
	} else {
		socketDropIn = packaging.SystemdSocketDropIn(path)
	}
	files := [][2]string{
		{packaging.SystemdSocketName, packaging.SystemdSocket()},
		{packaging.SystemdServiceName, packaging.SystemdService(m.binary)},
		{packaging.SystemdSocketName + ".d/tcred-install.conf", socketDropIn},
		{packaging.SystemdServiceName + ".d/tcred-install.conf", packaging.SystemdServiceDropIn(env, systemdVersion(ctx) >= 254)},
	}
	for i := range files {
		if m.packaged != "" && i < len(systemdUnits) {
			files[i][1] = ""
		}
		if files[i][1] != "" {
			files[i][1] = ourMark + files[i][1]
		}
		files[i][0] = filepath.Join(m.dir, files[i][0])
	}
	return files, nil
}

// defaultSystemdSocket is what tcred.socket's %t/tcred/tcred.sock stands for.
func defaultSystemdSocket() string {
	dir := os.Getenv("XDG_RUNTIME_DIR")
	if dir == "" {
		dir = fmt.Sprintf("/run/user/%d", os.Geteuid())
	}
	return filepath.Join(dir, "tcred", "tcred.sock")
}

// systemdVersion is 252 for "systemd 252 (252.39-1)", 0 if it cannot be told.
func systemdVersion(ctx context.Context) int {
	text, err := systemctl("--version").output(ctx)
	words := strings.Fields(text)
	if err != nil || len(words) < 2 {
		return 0
	}
	n, _ := strconv.Atoi(words[1])
	return n
}

// property is what systemd says of a unit, "" if it says nothing.
func (m *systemd) property(ctx context.Context, unit, name string) string {
	value, err := systemctl("show", "--property="+name, "--value", unit).output(ctx)
	if err != nil {
		return ""
	}
	return value
}

// daemonStatus asks the daemon how it is. Where none runs and systemd listens in its place, asking would start one:
// that is [socket.ErrNotListening] too.
func daemonStatus(ctx context.Context) (api.Status, error) {
	if asleep(ctx) {
		return api.Status{}, &api.Error{
			Code: api.NoDaemon, Message: "systemd listens, and starts it at the first call", Cause: socket.ErrNotListening,
		}
	}
	return new(client.Client).Status(ctx)
}

// heldByDaemon reports whether a daemon that systemd does not run made the socket at path: it holds the lock beside it.
func heldByDaemon(path string) bool {
	lock := flock.New(path+".lock", flock.SetFlag(os.O_RDWR)) // not made where none is
	free, err := lock.TryLock()
	if err != nil {
		return false
	}
	lock.Close()
	return !free
}

// asleep reports whether systemd listens on our socket for a service that does not run, nor tries to.
func asleep(ctx context.Context) bool {
	path, err := place.Socket()
	if err != nil || runtime.GOOS != "linux" {
		return false
	}
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	text, err := systemctl("show", "--property=ActiveState,SubState,Listen", packaging.SystemdSocketName, packaging.SystemdServiceName).output(ctx)
	lines := strings.Split(text, "\n")
	return err == nil && slices.Contains(lines, "SubState=listening") && slices.Contains(lines, "Listen="+path+" (Stream)") &&
		!slices.Contains(lines, "ActiveState=activating") && !heldByDaemon(path)
}
