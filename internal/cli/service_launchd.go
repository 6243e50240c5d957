package cli

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/tcred/tcred/api"
	"github.com/tcred/tcred/internal/place"
	"github.com/tcred/tcred/internal/place/dirs"
	"github.com/tcred/tcred/packaging"
)

// launchd is the user's part of it: an agent of the login session, which has the keychain.
type launchd struct {
	app    *app
	binary string // this one, absolute
}

func (m *launchd) domain() string { return fmt.Sprintf("gui/%d", os.Geteuid()) }
func (m *launchd) target() string { return m.domain() + "/" + packaging.LaunchdLabel }

func (m *launchd) file() (string, error) {
	home, err := os.UserHomeDir()
	if err != nil {
		return "", fmt.Errorf("finding a place for the agent: %w", err)
	}
	return filepath.Join(home, "Library", "LaunchAgents", packaging.LaunchdLabel+".plist"), nil
}

// text is the agent, with every path in it.
func (m *launchd) text() (string, error) {
	p, err := dirs.Find()
	if err != nil {
		return "", err
	}
	path, err := place.Socket()
	if err != nil {
		return "", err
	}
	env := slices.DeleteFunc(environment(), func(s packaging.Setting) bool { return s.Name == api.EnvSocket || s.Name == api.EnvConfig })
	env = append([]packaging.Setting{{Name: api.EnvSocket, Value: path}, {Name: api.EnvConfig, Value: p.Config}}, env...)
	return packaging.LaunchdAgent(packaging.Agent{Binary: m.binary, Log: p.Log(), Env: env})
}

func (m *launchd) install(ctx context.Context, s *steps) error {
	file, err := m.file()
	if err != nil {
		return err
	}
	text, err := m.text()
	if err != nil {
		return err
	}
	if err := m.makeLogDir(s); err != nil {
		return err
	}
	loaded, stale := m.print(ctx) != "", differs([2]string{file, text})
	switch {
	case loaded && stale: // before the file changes: whoever interrupts this leaves no agent of which the file does not tell
		err = s.run(ctx, command{"launchctl", "bootout", m.target()})
	case !loaded:
		err = m.app.makeRoom(ctx, s)
	}
	if err != nil {
		return err
	}
	if err := s.write(file, text); err != nil {
		return err
	}
	if loaded && !stale {
		m.app.tell("the agent is loaded")
		return m.app.greet(ctx, s)
	}
	if err := s.run(ctx, command{"launchctl", "enable", m.target()}); err != nil {
		return err
	}
	if err := m.bootstrap(ctx, s, file); err != nil {
		return err
	}
	return m.await(ctx, s)
}

// makeLogDir makes the directory that launchd opens the log in, before the daemon could.
func (m *launchd) makeLogDir(s *steps) error {
	p, err := dirs.Find()
	if err != nil || s.dry {
		return err
	}
	return os.MkdirAll(filepath.Dir(p.Log()), 0o700)
}

// bootstrap loads the agent. launchd refuses for a while after a bootout.
func (m *launchd) bootstrap(ctx context.Context, s *steps, file string) error {
	ctx, cancel := context.WithTimeout(ctx, stopTimeout)
	defer cancel()
	for {
		err := s.run(ctx, command{"launchctl", "bootstrap", m.domain(), file})
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return err
		case <-time.After(250 * time.Millisecond):
		}
	}
}

// await waits until the agent answers: nobody listens before it runs.
func (m *launchd) await(ctx context.Context, s *steps) error {
	ctx, cancel := context.WithTimeout(ctx, stopTimeout)
	defer cancel()
	for {
		err := m.app.greet(ctx, s)
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return err
		case <-time.After(50 * time.Millisecond):
		}
	}
}

func (m *launchd) uninstall(ctx context.Context, s *steps) error {
	file, err := m.file()
	if err != nil {
		return err
	}
	if m.print(ctx) != "" {
		if err := s.run(ctx, command{"launchctl", "bootout", m.target()}); err != nil {
			return err
		}
	}
	if err := s.remove(file); err != nil {
		return err
	}
	if !s.changed {
		m.app.tell("nothing that install wrote is here")
	}
	return nil
}

func (m *launchd) restart(ctx context.Context, s *steps) error {
	if m.print(ctx) == "" {
		return notInstalled()
	}
	return s.run(ctx, command{"launchctl", "kickstart", "-k", m.target()})
}

func (m *launchd) status(ctx context.Context) (serviceStatus, error) {
	st := serviceStatus{Manager: "launchd"}
	file, err := m.file()
	if err != nil || !isFile(file) {
		return st, err
	}
	st.Files = []string{file}
	text, err := m.text()
	if err != nil {
		return st, err
	}
	loaded := m.print(ctx)
	if loaded == "" {
		st.Outdated = "tcred service install: the agent is not loaded"
	}
	if differs([2]string{file, text}) {
		st.Outdated = "tcred service install: " + file + " is not what this version, in this environment, would write"
	}
	state := "not loaded"
	for line := range strings.Lines(loaded) {
		// launchctl's words are for people: what is not found is left out.
		if name, value, ok := strings.Cut(strings.TrimSpace(line), " = "); ok && strings.HasPrefix(line, "\t") && !strings.HasPrefix(line, "\t\t") {
			switch name {
			case "state":
				state = value
			case "pid":
				st.PID, _ = strconv.Atoi(value)
			}
		}
	}
	st.States = [][2]string{{"agent", state}}
	return st, nil
}

// print is what launchd says of the agent, "" if it is not loaded.
func (m *launchd) print(ctx context.Context) string {
	text, err := command{"launchctl", "print", m.target()}.output(ctx)
	if err != nil {
		return ""
	}
	return text
}
