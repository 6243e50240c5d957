package cli

import (
	"context"
	"fmt"
	"os"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/tcred/tcred/api"
	"github.com/tcred/tcred/client"
	"github.com/tcred/tcred/packaging"
	"github.com/tcred/tcred/socket"
)

// systemd is the user's instance of it.
type systemd struct {
	app    *app
	binary string // this one, absolute

	dir      string // for the units that install writes
	packaged string // the directory with a package's units, "" if there are none
}

func systemctl(args ...string) command { return append(command{"systemctl", "--user"}, args...) }

var systemdUnits = []string{packaging.SystemdSocketName, packaging.SystemdServiceName}

// find asks systemd where units are.
func (m *systemd) find(ctx context.Context) error {
	found, err := systemctl("show", "--property=UnitPath", "--value").output(ctx)
	if err != nil || found == "" {
		return noSystemd(err)
	}
	path := strings.Fields(found)
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

func noSystemd(cause error) error {
	name := "$USER"
	if u, err := user.Current(); err == nil {
		name = u.Username
	}
	return &api.Error{
		Code: api.NotFound, Message: fmt.Sprintf("there is no systemd of this user to ask: %v", cause), Cause: cause,
		Hint: "none is needed, the helper starts the daemon by itself; for a user who is not logged in: loginctl enable-linger " +
			name + "; under another supervisor run: tcred daemon --service",
	}
}

// files are what install writes, by path; a file whose text is "" should not be there.
func (m *systemd) files(ctx context.Context) ([][2]string, error) {
	path, err := socket.Path()
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

func (m *systemd) install(ctx context.Context, s *steps) error {
	if err := m.find(ctx); err != nil {
		return err
	}
	files, err := m.files(ctx)
	if err != nil {
		return err
	}
	if m.packaged == "" && strings.ContainsAny(m.binary, "\"'\\") {
		return &api.Error{
			Code: api.BadRequest, Message: fmt.Sprintf("systemd starts no program whose path has a quote or a backslash: %s", m.binary),
			Hint: "install tcred elsewhere",
		}
	}
	if m.packaged != "" {
		m.app.tell("the units in %s are used", m.packaged)
		m.warnOfOtherBinary()
	}
	listening := m.property(ctx, packaging.SystemdSocketName, "ActiveState") == "active"
	if !listening { // else systemd has the socket
		if err := m.app.makeRoom(ctx, s); err != nil {
			return err
		}
	}
	for _, f := range files {
		if f[1] == "" {
			err = s.remove(f[0])
		} else {
			err = s.write(f[0], f[1])
		}
		if err != nil {
			return err
		}
	}
	if err := s.run(ctx, systemctl("daemon-reload")); err != nil {
		return err
	}
	if listening && s.changed { // together, since a socket waits for its service to end
		if err := s.run(ctx, systemctl("stop", packaging.SystemdSocketName, packaging.SystemdServiceName)); err != nil {
			return err
		}
	}
	if err := s.run(ctx, systemctl("enable", "--now", packaging.SystemdSocketName)); err != nil {
		return err
	}
	if !s.changed && m.restartDue(ctx) {
		if err := m.restart(ctx, s); err != nil {
			return err
		}
	}
	return m.app.greet(ctx, s)
}

// restartDue reports whether another version than this one runs.
func (m *systemd) restartDue(ctx context.Context) bool {
	if m.property(ctx, packaging.SystemdServiceName, "ActiveState") != "active" {
		return false // asking would start it
	}
	st, err := client.New("").Status(ctx)
	return err == nil && st.Version != api.Version
}

// warnOfOtherBinary tells that a package's service does not run this binary.
func (m *systemd) warnOfOtherBinary() {
	text, err := os.ReadFile(filepath.Join(m.packaged, packaging.SystemdServiceName))
	if err != nil || string(text) == packaging.SystemdService(m.binary) {
		return
	}
	for line := range strings.Lines(string(text)) {
		if start, ok := strings.CutPrefix(strings.TrimSpace(line), "ExecStart="); ok && !strings.HasPrefix(start, m.binary+" ") {
			m.app.warn("the package's service runs %s, not this %s", start, m.binary)
		}
	}
}

func (m *systemd) uninstall(ctx context.Context, s *steps) error {
	if err := m.find(ctx); err != nil {
		return err
	}
	if m.property(ctx, packaging.SystemdSocketName, "LoadState") == "loaded" {
		if err := s.run(ctx, systemctl("disable", "--now", packaging.SystemdSocketName, packaging.SystemdServiceName)); err != nil {
			return err
		}
	}
	for _, unit := range systemdUnits {
		for _, name := range []string{unit, unit + ".d/tcred-install.conf"} {
			if err := s.remove(filepath.Join(m.dir, name)); err != nil {
				return err
			}
		}
	}
	if !s.changed {
		m.app.tell("nothing that install wrote is here")
		return nil
	}
	return s.run(ctx, systemctl("daemon-reload"))
}

func (m *systemd) restart(ctx context.Context, s *steps) error {
	if err := m.find(ctx); err != nil {
		return err
	}
	if m.property(ctx, packaging.SystemdServiceName, "LoadState") != "loaded" {
		return notInstalled()
	}
	return s.run(ctx, systemctl("restart", packaging.SystemdServiceName))
}

func notInstalled() error {
	return &api.Error{Code: api.NotFound, Message: "the service is not installed", Hint: "tcred service install"}
}

func (m *systemd) status(ctx context.Context) (serviceStatus, error) {
	st := serviceStatus{Manager: "systemd"}
	if err := m.find(ctx); err != nil {
		return st, err
	}
	for _, unit := range systemdUnits {
		file := m.property(ctx, unit, "FragmentPath")
		if file == "" {
			return serviceStatus{Manager: st.Manager}, nil
		}
		st.Files = append(st.Files, file)
		st.Files = append(st.Files, strings.Fields(m.property(ctx, unit, "DropInPaths"))...)
		state := fmt.Sprintf("%s (%s)", m.property(ctx, unit, "ActiveState"), m.property(ctx, unit, "SubState"))
		if unit == packaging.SystemdSocketName {
			state += ", " + m.property(ctx, unit, "UnitFileState")
		}
		st.States = append(st.States, [2]string{unit, state})
	}
	if m.property(ctx, packaging.SystemdServiceName, "ActiveState") == "active" {
		st.PID, _ = strconv.Atoi(m.property(ctx, packaging.SystemdServiceName, "MainPID"))
	}
	files, err := m.files(ctx)
	for _, f := range files {
		if old, _ := os.ReadFile(f[0]); string(old) != f[1] {
			st.Outdated = "tcred service install: " + f[0] + " is not what this version, in this environment, would write"
		}
	}
	return st, err
}

// property is what systemd says of a unit, "" if it says nothing.
func (m *systemd) property(ctx context.Context, unit, name string) string {
	value, err := systemctl("show", "--property="+name, "--value", unit).output(ctx)
	if err != nil {
		return ""
	}
	return value
}
