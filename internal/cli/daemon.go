package cli

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/tcred/tcred/api"
	"github.com/tcred/tcred/client"
	"github.com/tcred/tcred/daemon"
	"github.com/tcred/tcred/internal/keys"
	"github.com/tcred/tcred/internal/place"
	"github.com/tcred/tcred/internal/place/dirs"
	"github.com/tcred/tcred/internal/profile"
	"github.com/tcred/tcred/internal/service"
)

func (a *app) daemonCmd() *cobra.Command {
	var mode daemonMode
	cmd := &cobra.Command{
		Use:   "daemon",
		Short: "Run the daemon; the helper starts it by itself",
		Long: `Daemon answers the helper and the other commands on a unix socket of your own. You need not
run it: whoever asks first starts it. Run it by hand to see its log on stderr. "tcred service install"
runs it under systemd or launchd; with --service any other supervisor can. Such a daemon asks whichever
has the socket to stop, another service's too: run one on a socket, or they evict each other.`,
		Example: `  tcred daemon
  tcred daemon stop`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.runDaemon(cmd.Context(), mode)
		},
	}
	cmd.Flags().BoolVar(&mode.service, "service", false,
		"take over from the daemon that runs, and never end for idleness")
	cmd.Flags().BoolVar(&mode.background, "background", false,
		"log to the log file, and give way to a daemon that runs")
	cmd.Flags().MarkHidden("background") // fails only for a flag that is not there
	cmd.AddCommand(&cobra.Command{
		Use:     "stop",
		Short:   "Stop the daemon",
		Example: "  tcred daemon stop",
		Args:    cobra.NoArgs,
		RunE:    func(cmd *cobra.Command, _ []string) error { return a.stopDaemon(cmd.Context()) },
	})
	return cmd
}

// daemonMode is who runs the daemon: a helper in the background, a supervisor, both (launchd), or a person.
type daemonMode struct{ background, service bool }

// runDaemon serves until ctx ends, a client stops it, or its socket is gone.
func (a *app) runDaemon(ctx context.Context, mode daemonMode) error {
	harden()
	ctx, stop := signal.NotifyContext(ctx, syscall.SIGHUP) // its terminal was closed
	defer stop()
	p, err := dirs.Find()
	if err != nil {
		return err
	}
	log := a.daemonLog(p, mode.background)
	err = a.serve(ctx, p, mode.service, log)
	if mode.background && errors.Is(err, daemon.ErrRunning) {
		return nil // whoever started this daemon will find the other one
	}
	if err != nil && mode.background { // in the foreground stderr gets it as the command's error
		log.Error("daemon ends", "err", err)
	}
	return err
}

// serve runs the daemon on the socket of this environment.
func (a *app) serve(ctx context.Context, p dirs.Places, supervised bool, log *slog.Logger) error {
	path, err := place.Socket()
	if err != nil {
		return err
	}
	systemd := daemon.Notify()
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	at, err := daemon.Open(ctx, daemon.Opening{
		Path: path, Service: supervised, Stop: client.New(path).Stop, Gone: stop, Log: log,
	})
	if err != nil {
		return err
	}
	set := profile.Open(profile.Options{
		ConfigPath: p.Config, Index: indexOf(p), FileDir: p.Keys, Log: log,
		Notify: func(line string) { log.Warn(line) }, Process: fmt.Sprintf("the daemon (process %d)", os.Getpid()),
	})
	b := newBroker(p, set, log)
	server := &daemon.Server{
		Broker: b, Keystore: set, Keys: keys.Keeper{Set: set, Index: indexOf(p)},
		Reload: set.Reload, Problem: set.Problem, Peer: daemon.PeerOf, UID: os.Geteuid(),
		Log: log, IdleExit: set.IdleExit(at.Service), Config: p.Config,
		Status: func() api.Status {
			return api.Status{
				Version: api.Version, PID: os.Getpid(), Socket: at.Path,
				Keystore: set.StoreName(), Problem: api.ProblemOf(api.AsError(set.Problem())),
			}
		},
	}
	systemd.Follow(ctx, b.Alive, log)
	log.Info("listening", "socket", at.Path, "config", p.Config, "version", api.Version, "pid", os.Getpid())
	err = server.Serve(ctx, at)
	log.Info("stopped")
	return err
}

// daemonLog is stderr for a daemon that somebody watches, else the log file, which takes a crash's last words too.
// A daemon without a place for its log serves all the same.
func (a *app) daemonLog(p dirs.Places, background bool) *slog.Logger {
	out, missing := a.err, error(nil)
	if background {
		if file, err := daemon.OpenLog(p.Log(), crashInto); err == nil {
			out = file
		} else {
			missing = err
		}
	}
	level := slog.LevelInfo
	if a.debug {
		level = slog.LevelDebug
	}
	log := slog.New(slog.NewTextHandler(out, &slog.HandlerOptions{Level: level}))
	if missing != nil {
		log.Warn("no log file", "err", missing)
	}
	return log
}

// crashInto sends a crash's last words to file.
func crashInto(file *os.File) error {
	if err := debug.SetCrashOutput(file, debug.CrashOptions{}); err != nil {
		return fmt.Errorf("pointing crash output at the log: %w", err)
	}
	return nil
}

// stopDaemon stops the daemon that runs, if one does.
func (a *app) stopDaemon(ctx context.Context) error {
	stopped, err := service.StopDaemon(ctx)
	if err != nil {
		return err
	}
	if stopped {
		a.tell("the daemon stopped")
	} else {
		a.tell("no daemon runs")
	}
	return nil
}
