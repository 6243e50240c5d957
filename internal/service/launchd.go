package service

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/tcred/tcred/api"
	"github.com/tcred/tcred/internal/disk"
	"github.com/tcred/tcred/internal/place"
	"github.com/tcred/tcred/internal/place/dirs"
	"github.com/tcred/tcred/packaging"
)

// launchd runs the daemon as an agent of the user's login session: the keychain is open there.
type launchd struct {
	binary string // this one, absolute
}

func (m *launchd) domain() string { return fmt.Sprintf("gui/%d", os.Geteuid()) }
func (m *launchd) target() string { return m.domain() + "/" + packaging.LaunchdLabel }

// path is where launchd looks for the agent.
func (m *launchd) path() (string, error) {
	home, err := place.Home()
	if err != nil {
		return "", fmt.Errorf("finding a place for the agent: %w", err)
	}
	dir := filepath.Join(home, "Library", "LaunchAgents")
	return filepath.Join(dir, packaging.LaunchdLabel+".plist"), place.CheckOwner("HOME", dir)
}

// agent is the agent's file, with every path in it.
func (m *launchd) agent() (file, error) {
	path, err := m.path()
	if err != nil {
		return file{}, err
	}
	p, err := dirs.Find()
	if err != nil {
		return file{}, err
	}
	socket, err := place.Socket()
	if err != nil {
		return file{}, err
	}
	env := []packaging.Setting{{Name: api.EnvSocket, Value: socket}, {Name: api.EnvConfig, Value: p.Config}}
	for _, s := range settings() {
		if s.Name != api.EnvSocket && s.Name != api.EnvConfig {
			env = append(env, s)
		}
	}
	text, err := packaging.LaunchdAgent(packaging.Agent{Binary: m.binary, Log: p.Log(), Env: env})
	return file{path, text}, err
}

func (m *launchd) install(ctx context.Context, s *steps) error {
	agent, err := m.agent()
	if err != nil {
		return err
	}
	if err := m.makeLogDir(s); err != nil {
		return err
	}
	loaded, stale := m.print(ctx) != "", differs(agent)
	switch {
	case loaded && stale: // before the file changes: else an interrupt leaves an agent that the file does not describe
		err = s.run(ctx, command{"launchctl", "bootout", m.target()})
	case !loaded:
		err = stopOther(ctx, s)
	}
	if err != nil {
		return err
	}
	if err := s.write(agent); err != nil {
		return err
	}
	if loaded && !stale {
		s.Say("the agent is loaded")
		return checkAnswer(ctx, s)
	}
	if err := s.run(ctx, command{"launchctl", "enable", m.target()}); err != nil {
		return err
	}
	if err := m.bootstrap(ctx, s, agent.path); err != nil {
		return err
	}
	return m.await(ctx, s)
}

// makeLogDir makes the directory that launchd opens the log in, before the daemon could.
func (m *launchd) makeLogDir(s *steps) error {
	p, err := dirs.Find()
	if err != nil || s.DryRun {
		return err
	}
	return os.MkdirAll(filepath.Dir(p.Log()), 0o700)
}

// bootstrap loads the agent. launchd refuses for a while after a bootout.
func (m *launchd) bootstrap(ctx context.Context, s *steps, path string) error {
	ctx, cancel := context.WithTimeout(ctx, stopTimeout)
	defer cancel()
	for {
		err := s.run(ctx, command{"launchctl", "bootstrap", m.domain(), path})
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
		err := checkAnswer(ctx, s)
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
	path, err := m.path()
	if err != nil {
		return err
	}
	if m.print(ctx) != "" {
		if err := s.run(ctx, command{"launchctl", "bootout", m.target()}); err != nil {
			return err
		}
	}
	if err := s.remove(path); err != nil {
		return err
	}
	if !s.changed {
		s.Say("nothing that install wrote is here")
	}
	return nil
}

func (m *launchd) restart(ctx context.Context, s *steps) error {
	if m.print(ctx) == "" {
		return notInstalled()
	}
	return s.run(ctx, command{"launchctl", "kickstart", "-k", m.target()})
}

func (m *launchd) status(ctx context.Context) (Status, error) {
	st := Status{Manager: "launchd"}
	path, err := m.path()
	if err != nil || !disk.IsFile(path) {
		return st, err
	}
	st.Files = []string{path}
	agent, err := m.agent()
	if err != nil {
		return st, err
	}
	loaded := m.print(ctx)
	if loaded == "" {
		st.Due = "tcred service install: the agent is not loaded"
	}
	if differs(agent) {
		st.Due = "tcred service install: " + path + " is not what this version, in this environment, would write"
	}
	state, pid := readPrint(loaded)
	st.States, st.PID = [][2]string{{"agent", state}}, pid
	return st, nil
}

// print is what launchctl prints of the agent, "" if it is not loaded.
func (m *launchd) print(ctx context.Context) string {
	text, err := command{"launchctl", "print", m.target()}.output(ctx)
	if err != nil {
		return ""
	}
	return text
}

// readPrint finds the agent's state, and the daemon's process if one runs, in what launchctl prints. That text is for
// people and may change: what is not found is left out.
func readPrint(text string) (state string, pid int) {
	state = "not loaded"
	for line := range strings.Lines(text) {
		if !strings.HasPrefix(line, "\t") || strings.HasPrefix(line, "\t\t") { // of something within the agent
			continue
		}
		switch name, value, _ := strings.Cut(strings.TrimSpace(line), " = "); name {
		case "state":
			state = value
		case "pid":
			pid, _ = strconv.Atoi(value)
		}
	}
	return state, pid
}
