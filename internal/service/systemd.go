package service

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
	"github.com/tcred/tcred/internal/place"
	"github.com/tcred/tcred/packaging"
)

// systemd runs the daemon under the user's own systemd.
type systemd struct {
	binary string // this one, absolute

	dir      string // for the units that install writes
	packaged string // the directory with a package's units, "" if there are none
}

func systemctl(args ...string) command { return append(command{"systemctl", "--user"}, args...) }

const (
	socketUnit  = packaging.SystemdSocketName
	serviceUnit = packaging.SystemdServiceName
)

var systemdUnits = []string{socketUnit, serviceUnit}

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
		s.Say("the units in %s are used", m.packaged)
		m.warnOfOtherBinary(s)
	}
	stale := slices.ContainsFunc(files, differs) || m.reloadDue(ctx)
	if err := m.freeSocket(ctx, s, stale); err != nil {
		return err
	}
	if err := m.put(s, files); err != nil {
		return err
	}
	if err := s.run(ctx, systemctl("daemon-reload")); err != nil {
		return err
	}
	if err := s.run(ctx, systemctl("enable", "--now", socketUnit)); err != nil {
		return err
	}
	if !stale && m.restartDue(ctx) {
		if err := m.restart(ctx, s); err != nil {
			return err
		}
	}
	return checkAnswer(ctx, s)
}

// refuse is the error for what systemd would not start.
func (m *systemd) refuse(ctx context.Context) error {
	if m.packaged == "" && strings.ContainsAny(m.binary, "\"'\\") {
		return &api.Error{
			Code: api.BadRequest, Hint: "install tcred elsewhere",
			Message: "systemd starts no program whose path has a quote or a backslash: " + m.binary,
		}
	}
	for _, unit := range systemdUnits {
		if m.property(ctx, unit, "LoadState") == "masked" {
			return &api.Error{
				Code: api.BadRequest, Message: unit + " is masked: systemd must not start it",
				Hint: "systemctl --user unmask " + unit,
			}
		}
	}
	return nil
}

// freeSocket stops whatever has the socket, unless that is the service as it should be. The service is stopped before
// its files change, so that an install that is interrupted leaves no service running that the files do not describe.
func (m *systemd) freeSocket(ctx context.Context, s *steps, stale bool) error {
	if m.property(ctx, socketUnit, "ActiveState") == "active" {
		if !stale {
			return nil
		}
		// Together, since a socket waits for its service to end.
		if err := s.run(ctx, systemctl("stop", socketUnit, serviceUnit)); err != nil || s.DryRun {
			return err
		}
	}
	return stopOther(ctx, s)
}

// put makes the files what they should be. What somebody else wrote there is kept.
func (m *systemd) put(s *steps, files []file) error {
	for _, f := range files {
		var err error
		if !isOurs(f.path) {
			err = s.setAside(f.path)
		} else if f.text == "" {
			err = s.remove(f.path)
		}
		if f.text != "" && err == nil {
			err = s.write(f)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// reloadDue reports whether systemd has not read the units that are there, as after an interrupted install.
func (m *systemd) reloadDue(ctx context.Context) bool {
	return slices.ContainsFunc(systemdUnits, func(unit string) bool {
		return m.property(ctx, unit, "NeedDaemonReload") == "yes"
	})
}

// restartDue reports whether another version than this one runs.
func (m *systemd) restartDue(ctx context.Context) bool {
	if m.property(ctx, serviceUnit, "ActiveState") != "active" {
		return false // asking would start it
	}
	st, err := new(client.Client).Status(ctx)
	return err == nil && st.Version != api.Version
}

// warnOfOtherBinary tells that a package's service does not run this binary.
func (m *systemd) warnOfOtherBinary(s *steps) {
	text, err := os.ReadFile(filepath.Join(m.packaged, serviceUnit))
	if err != nil || string(text) == packaging.SystemdService(m.binary) {
		return
	}
	for line := range strings.Lines(string(text)) {
		start, ok := strings.CutPrefix(strings.TrimSpace(line), "ExecStart=")
		if ok && !strings.HasPrefix(start, m.binary+" ") {
			s.Warn("the package's service runs %s, not this %s", start, m.binary)
		}
	}
}

func (m *systemd) uninstall(ctx context.Context, s *steps) error {
	if err := m.find(ctx); err != nil {
		return m.uninstallFiles(s, err)
	}
	if m.property(ctx, socketUnit, "LoadState") == "loaded" {
		if err := s.run(ctx, systemctl("disable", "--now", socketUnit, serviceUnit)); err != nil {
			return err
		}
	}
	if err := m.removeFiles(s); err != nil {
		return err
	}
	if !s.changed {
		s.Say("nothing that install wrote is here")
		return nil
	}
	return s.run(ctx, systemctl("daemon-reload"))
}

// removeFiles removes what install wrote.
func (m *systemd) removeFiles(s *steps) error {
	for _, unit := range systemdUnits {
		for _, name := range []string{unit, unit + dropIn} {
			path := filepath.Join(m.dir, name)
			if !isOurs(path) {
				s.Say("left %s, which install did not write", path)
			} else if err := s.remove(path); err != nil {
				return err
			}
		}
	}
	return nil
}

// uninstallFiles removes what it can where no systemd answers. The link that enables the socket goes too: else the next
// login would find it.
func (m *systemd) uninstallFiles(s *steps, noSystemd error) error {
	home, _ := place.Home() // none is ""
	for _, config := range slices.Compact([]string{filepath.Join(home, ".config"), os.Getenv("XDG_CONFIG_HOME")}) {
		if !filepath.IsAbs(config) {
			continue
		}
		m.dir = filepath.Join(config, "systemd", "user")
		enabled := filepath.Join(m.dir, "sockets.target.wants", socketUnit)
		if err := errors.Join(m.removeFiles(s), s.remove(enabled)); err != nil {
			return err
		}
	}
	if !s.changed {
		return noSystemd
	}
	s.Warn("no systemd of this user answers; a daemon that it runs goes on until the user has logged out")
	return nil
}

func (m *systemd) restart(ctx context.Context, s *steps) error {
	if err := m.find(ctx); err != nil {
		return err
	}
	if m.property(ctx, serviceUnit, "LoadState") != "loaded" {
		return notInstalled()
	}
	if err := s.run(ctx, systemctl("daemon-reload")); err != nil { // an upgrade may have brought other units
		return err
	}
	return s.run(ctx, systemctl("restart", serviceUnit))
}

func (m *systemd) status(ctx context.Context) (Status, error) {
	st := Status{Manager: "systemd"}
	if err := m.find(ctx); err != nil {
		return st, err
	}
	for _, unit := range systemdUnits {
		file := m.property(ctx, unit, "FragmentPath")
		if file == "" {
			return Status{Manager: st.Manager}, nil
		}
		st.Files = append(st.Files, file)
		st.Files = append(st.Files, words(m.property(ctx, unit, "DropInPaths"))...)
		state := fmt.Sprintf("%s (%s)", m.property(ctx, unit, "ActiveState"), m.property(ctx, unit, "SubState"))
		if unit == socketUnit {
			state += ", " + m.property(ctx, unit, "UnitFileState")
		}
		st.States = append(st.States, [2]string{unit, state})
	}
	if m.property(ctx, serviceUnit, "ActiveState") == "active" {
		st.PID, _ = strconv.Atoi(m.property(ctx, serviceUnit, "MainPID"))
	}
	enabled := m.property(ctx, socketUnit, "UnitFileState") == "enabled"
	if enabled && m.property(ctx, socketUnit, "ActiveState") != "active" {
		st.Due = "tcred service install: systemd does not listen on the socket"
	}
	if m.reloadDue(ctx) {
		st.Due = "tcred service install: systemd has not read the units that are there"
	}
	files, err := m.files(ctx)
	for _, f := range files {
		if differs(f) {
			st.Due = "tcred service install: " + f.path + " is not what this version, in this environment, would write"
		}
	}
	return st, err
}
