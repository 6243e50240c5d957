package service

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/user"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/tcred/tcred/api"
	"github.com/tcred/tcred/internal/disk"
	"github.com/tcred/tcred/internal/place"
	"github.com/tcred/tcred/packaging"
)

// find asks systemd where units are.
func (m *systemd) find(ctx context.Context) error {
	found, err := systemctl("show", "--property=UnitPath", "--value").output(ctx)
	if err != nil || found == "" {
		return noSystemd(err)
	}
	unitPath := words(found)
	home, err := place.Home()
	if err != nil {
		return fmt.Errorf("finding a place for the units: %w", err)
	}
	from := "HOME"
	m.dir = filepath.Join(home, ".config", "systemd", "user")
	if dir := os.Getenv("XDG_CONFIG_HOME"); dir != "" { // systemd may not know the shell's
		if dir = filepath.Join(dir, "systemd", "user"); slices.Contains(unitPath, dir) {
			from, m.dir = "XDG_CONFIG_HOME", dir
		}
	}
	if err := place.CheckOwner(from, m.dir); err != nil {
		return err
	}
	for _, dir := range unitPath {
		if dir != m.dir && hasUnits(dir) {
			m.packaged = dir
			break
		}
	}
	return nil
}

func hasUnits(dir string) bool {
	return !slices.ContainsFunc(systemdUnits, func(unit string) bool { return !disk.IsFile(filepath.Join(dir, unit)) })
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
	hint := "none is needed, the helper starts the daemon by itself; for a user who is not logged in: " +
		"loginctl enable-linger " + name + "; under another supervisor run: tcred daemon --service"
	if os.Geteuid() == 0 && os.Getenv("SUDO_USER") != "" {
		hint = "run it without sudo: the service is a user's own"
	}
	return &api.Error{
		Code: api.NotFound, Hint: hint, Cause: cause,
		Message: fmt.Sprintf("there is no systemd of this user to ask: %v", cause),
	}
}

// ourMark is the first line of what install writes.
const ourMark = "# Written by tcred service install. Changes go into a drop-in: systemctl --user edit tcred.service\n"

// dropIn follows a unit's name in the path of what install adds to it.
const dropIn = ".d/tcred-install.conf"

// isOurs reports whether install wrote the file at path, or there is none.
func isOurs(path string) bool {
	info, err := os.Lstat(path)
	if err != nil || !info.Mode().IsRegular() { // a link leads to a file that somebody keeps elsewhere
		return errors.Is(err, fs.ErrNotExist)
	}
	text, err := os.ReadFile(path)
	return err == nil && strings.HasPrefix(string(text), ourMark)
}

// files are what install writes.
func (m *systemd) files(ctx context.Context) ([]file, error) {
	path, err := place.Socket()
	if err != nil {
		return nil, err
	}
	socketDropIn, env := "", settings()
	if path == defaultSystemdSocket() {
		env = slices.DeleteFunc(env, func(s packaging.Setting) bool { return s.Name == api.EnvSocket })
	} else {
		socketDropIn = packaging.SystemdSocketDropIn(path)
	}
	files := []file{
		{socketUnit, packaging.SystemdSocket()},
		{serviceUnit, packaging.SystemdService(m.binary)},
		{socketUnit + dropIn, socketDropIn},
		{serviceUnit + dropIn, packaging.SystemdServiceDropIn(env, systemdVersion(ctx) >= 254)},
	}
	for i := range files {
		if m.packaged != "" && i < len(systemdUnits) {
			files[i].text = ""
		}
		if files[i].text != "" {
			files[i].text = ourMark + files[i].text
		}
		files[i].path = filepath.Join(m.dir, files[i].path)
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
