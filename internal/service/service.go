// Package service runs the daemon as a service of its user, under systemd or launchd. It also asks a daemon how it is
// without starting one, and stops it: for both one has to know whether systemd listens in the daemon's place.
package service

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/tcred/tcred/api"
	"github.com/tcred/tcred/client"
	"github.com/tcred/tcred/internal/place/dirs"
	"github.com/tcred/tcred/internal/socket"
	"github.com/tcred/tcred/packaging"
)

// Options say whether a Service changes anything, and whom it tells what it does.
type Options struct {
	DryRun bool                             // only say what would be done
	Say    func(format string, args ...any) // is told each thing that was done
	Warn   func(format string, args ...any) // is told what a person should know but what stops nothing
	Out    io.Writer                        // takes the text of each file that a dry run would write
}

// Service is the daemon as a service of this user, installed or not.
type Service struct {
	Options
	manager manager
}

// manager is what runs services on a system.
type manager interface {
	install(ctx context.Context, s *steps) error
	uninstall(ctx context.Context, s *steps) error
	restart(ctx context.Context, s *steps) error
	status(ctx context.Context) (Status, error)
}

// New is the Service on the system goos, a value of runtime.GOOS: api.NotFound where tcred knows no services.
func New(goos string, o Options) (*Service, error) {
	binary, err := os.Executable()
	if err == nil {
		binary, err = filepath.EvalSymlinks(binary)
	}
	if err != nil {
		return nil, fmt.Errorf("finding this binary: %w", err)
	}
	binary = lasting(binary)
	switch goos {
	case "linux":
		return &Service{o, &systemd{binary: binary}}, nil
	case "darwin":
		return &Service{o, &launchd{binary: binary}}, nil
	}
	return nil, &api.Error{
		Code: api.NotFound, Message: "tcred knows no services on " + goos,
		Hint: "none is needed: tcred get and exec take --no-daemon",
	}
}

// lasting is a path of binary that survives its next upgrade. Homebrew removes <prefix>/Cellar/tcred/1.2.3/bin/tcred
// then, and makes <prefix>/opt/tcred a link to the new version.
func lasting(binary string) string {
	prefix, rest, ok := strings.Cut(binary, "/Cellar/")
	if parts := strings.Split(rest, "/"); ok && len(parts) == 4 { // name, version, bin, tcred
		link := filepath.Join(prefix, "opt", parts[0], parts[2], parts[3])
		if same, err := filepath.EvalSymlinks(link); err == nil && same == binary {
			return link
		}
	}
	return binary
}

// Install writes what the service is made of and starts it. Only what differs from what is there is done.
func (s *Service) Install(ctx context.Context) error {
	return s.manager.install(ctx, &steps{Options: s.Options})
}

// Uninstall stops the service and removes what Install wrote, and the log that daemons without a service wrote.
func (s *Service) Uninstall(ctx context.Context) error {
	all := &steps{Options: s.Options}
	if err := s.manager.uninstall(ctx, all); err != nil {
		return err
	}
	p, err := dirs.Find()
	if err != nil {
		return err
	}
	return errors.Join(all.remove(p.Log()), all.remove(p.Log()+".1"))
}

// Restart ends the service's daemon and starts the binary that is on disk now; api.NotFound if it is not installed.
func (s *Service) Restart(ctx context.Context) error {
	return s.manager.restart(ctx, &steps{Options: s.Options})
}

func notInstalled() error {
	return &api.Error{Code: api.NotFound, Message: "the service is not installed", Hint: "tcred service install"}
}

// settings are what this shell's environment says of tcred's places. A service does not see that environment.
func settings() (env []packaging.Setting) {
	for _, name := range []string{
		api.EnvSocket, api.EnvConfig, api.EnvCacheDir, api.EnvKeystore,
		"XDG_CONFIG_HOME", "XDG_CACHE_HOME", "XDG_STATE_HOME", "XDG_DATA_HOME",
	} {
		if value := os.Getenv(name); value != "" {
			env = append(env, packaging.Setting{Name: name, Value: value})
		}
	}
	return env
}

// stopOther stops a daemon that no service runs: the service needs its socket.
func stopOther(ctx context.Context, s *steps) error {
	st, err := new(client.Client).Status(ctx)
	if errors.Is(err, socket.ErrNotListening) {
		return nil
	}
	if err != nil {
		return err
	}
	if s.DryRun {
		s.Say("would stop the daemon that runs without a service, process %d", st.PID)
		return nil
	}
	s.Say("stopping the daemon that runs without a service, process %d", st.PID)
	if _, err := StopDaemon(ctx, new(client.Client)); err != nil {
		return err
	}
	s.Say("the daemon stopped")
	return nil
}

// checkAnswer makes sure that the service's daemon answers.
func checkAnswer(ctx context.Context, s *steps) error {
	if s.DryRun {
		return nil
	}
	st, err := new(client.Client).Status(ctx)
	if err != nil {
		e := api.AsError(err)
		return &api.Error{
			Code: e.Code, Message: "the service is installed but does not answer: " + e.Message,
			Hint: "tcred service status, tcred logs", RequestID: e.RequestID, Cause: err,
		}
	}
	s.Say("the daemon, version %s, answers on %s", st.Version, st.Socket)
	return nil
}
