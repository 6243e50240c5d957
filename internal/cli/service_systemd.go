package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/tcred/tcred/api"
	"github.com/tcred/tcred/client"
	"github.com/tcred/tcred/packaging"
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

func (m *systemd) install(ctx context.Context, s *steps) error {
	if err := m.find(ctx); err != nil {
		return err
	}
	if err := m.refuse(ctx); err != nil {
		return err
	}
	files, err := m.files(ctx)
	if err != nil {
		return err
	}
	if m.packaged != "" {
		m.app.tell("the units in %s are used", m.packaged)
		m.warnOfOtherBinary()
	}
	stale := slices.ContainsFunc(files, differs) || m.reloadDue(ctx)
	if err := m.makeRoom(ctx, s, stale); err != nil {
		return err
	}
	if err := m.put(s, files); err != nil {
		return err
	}
	if err := s.run(ctx, systemctl("daemon-reload")); err != nil {
		return err
	}
	if err := s.run(ctx, systemctl("enable", "--now", packaging.SystemdSocketName)); err != nil {
		return err
	}
	if !stale && m.restartDue(ctx) {
		if err := m.restart(ctx, s); err != nil {
			return err
		}
	}
	return m.app.greet(ctx, s)
}

// refuse tells of what systemd would not start.
func (m *systemd) refuse(ctx context.Context) error {
	if m.packaged == "" && strings.ContainsAny(m.binary, "\"'\\") {
		return &api.Error{
			Code: api.BadRequest, Message: fmt.Sprintf("systemd starts no program whose path has a quote or a backslash: %s", m.binary),
			Hint: "install tcred elsewhere",
		}
	}
	for _, unit := range systemdUnits {
		if m.property(ctx, unit, "LoadState") == "masked" {
			return &api.Error{Code: api.BadRequest, Message: unit + " is masked: systemd must not start it", Hint: "systemctl --user unmask " + unit}
		}
	}
	return nil
}

// makeRoom stops who has the socket, if that is not the service as it should be. The service is stopped before its files
// change: whoever interrupts install then leaves nothing running that the files do not tell of.
func (m *systemd) makeRoom(ctx context.Context, s *steps, stale bool) error {
	if m.property(ctx, packaging.SystemdSocketName, "ActiveState") == "active" {
		if !stale {
			return nil
		}
		// Together, since a socket waits for its service to end.
		if err := s.run(ctx, systemctl("stop", packaging.SystemdSocketName, packaging.SystemdServiceName)); err != nil || s.dry {
			return err
		}
	}
	return m.app.makeRoom(ctx, s)
}

// put makes the files what they should be. What somebody else wrote there is kept.
func (m *systemd) put(s *steps, files [][2]string) error {
	for _, f := range files {
		var err error
		if !isOurs(f[0]) {
			err = s.setAside(f[0])
		} else if f[1] == "" {
			err = s.remove(f[0])
		}
		if f[1] != "" && err == nil {
			err = s.write(f[0], f[1])
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// reloadDue reports whether systemd has not read the units that are there, as after an interrupted install.
func (m *systemd) reloadDue(ctx context.Context) bool {
	return slices.ContainsFunc(systemdUnits, func(unit string) bool { return m.property(ctx, unit, "NeedDaemonReload") == "yes" })
}

// restartDue reports whether another version than this one runs.
func (m *systemd) restartDue(ctx context.Context) bool {
	if m.property(ctx, packaging.SystemdServiceName, "ActiveState") != "active" {
		return false // asking would start it
	}
	st, err := new(client.Client).Status(ctx)
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
		return m.uninstallFiles(s, err)
	}
	if m.property(ctx, packaging.SystemdSocketName, "LoadState") == "loaded" {
		if err := s.run(ctx, systemctl("disable", "--now", packaging.SystemdSocketName, packaging.SystemdServiceName)); err != nil {
			return err
		}
	}
	if err := m.removeFiles(s); err != nil {
		return err
	}
	if !s.changed {
		m.app.tell("nothing that install wrote is here")
		return nil
	}
	return s.run(ctx, systemctl("daemon-reload"))
}

// removeFiles removes what install wrote.
func (m *systemd) removeFiles(s *steps) error {
	for _, unit := range systemdUnits {
		for _, name := range []string{unit, unit + ".d/tcred-install.conf"} {
			path := filepath.Join(m.dir, name)
			if !isOurs(path) {
				m.app.tell("left %s, which install did not write", path)
			} else if err := s.remove(path); err != nil {
				return err
			}
		}
	}
	return nil
}

// uninstallFiles is what can be done where no systemd answers: what enables the socket goes too, for the next login.
func (m *systemd) uninstallFiles(s *steps, noSystemd error) error {
	home, _ := os.UserHomeDir() // none is ""
	for _, config := range slices.Compact([]string{filepath.Join(home, ".config"), os.Getenv("XDG_CONFIG_HOME")}) {
		if !filepath.IsAbs(config) {
			continue
		}
		m.dir = filepath.Join(config, "systemd", "user")
		enabled := filepath.Join(m.dir, "sockets.target.wants", packaging.SystemdSocketName)
		if err := errors.Join(m.removeFiles(s), s.remove(enabled)); err != nil {
			return err
		}
	}
	if !s.changed {
		return noSystemd
	}
	m.app.warn("no systemd of this user answers; a daemon that it runs goes on until the user has logged out")
	return nil
}

func (m *systemd) restart(ctx context.Context, s *steps) error {
	if err := m.find(ctx); err != nil {
		return err
	}
	if m.property(ctx, packaging.SystemdServiceName, "LoadState") != "loaded" {
		return notInstalled()
	}
	if err := s.run(ctx, systemctl("daemon-reload")); err != nil { // an upgrade may have brought other units
		return err
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
		st.Files = append(st.Files, words(m.property(ctx, unit, "DropInPaths"))...)
		state := fmt.Sprintf("%s (%s)", m.property(ctx, unit, "ActiveState"), m.property(ctx, unit, "SubState"))
		if unit == packaging.SystemdSocketName {
			state += ", " + m.property(ctx, unit, "UnitFileState")
		}
		st.States = append(st.States, [2]string{unit, state})
	}
	if m.property(ctx, packaging.SystemdServiceName, "ActiveState") == "active" {
		st.PID, _ = strconv.Atoi(m.property(ctx, packaging.SystemdServiceName, "MainPID"))
	}
	if m.property(ctx, packaging.SystemdSocketName, "UnitFileState") == "enabled" && m.property(ctx, packaging.SystemdSocketName, "ActiveState") != "active" {
		st.Outdated = "tcred service install: systemd does not listen on the socket"
	}
	if m.reloadDue(ctx) {
		st.Outdated = "tcred service install: systemd has not read the units that are there"
	}
	files, err := m.files(ctx)
	for _, f := range files {
		if differs(f) {
			st.Outdated = "tcred service install: " + f[0] + " is not what this version, in this environment, would write"
		}
	}
	return st, err
}
