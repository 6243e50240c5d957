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
	"github.com/tcred/tcred/cache"
	"github.com/tcred/tcred/client"
	"github.com/tcred/tcred/daemon"
	"github.com/tcred/tcred/internal/human"
	"github.com/tcred/tcred/internal/keys"
	"github.com/tcred/tcred/internal/logfile"
	"github.com/tcred/tcred/internal/place"
	"github.com/tcred/tcred/internal/place/dirs"
	"github.com/tcred/tcred/internal/process"
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
			if mode.background && !mode.service { // launchd keeps its own child
				return a.detachDaemon()
			}
			return a.runDaemon(cmd.Context(), mode)
		},
	}
	cmd.Flags().BoolVar(&mode.service, "service", false,
		"take over from the daemon that runs, and never end for idleness")
	cmd.Flags().BoolVar(&mode.background, "background", false, "log to the log file; unless --service, leave a daemon behind")
	cmd.Flags().BoolVar(&mode.detached, "detached", false, "be the daemon that --background leaves behind")
	for _, flag := range []string{"background", "detached"} {
		cmd.Flags().MarkHidden(flag) // fails only for a flag that is not there
	}
	cmd.AddCommand(&cobra.Command{
		Use:     "stop",
		Short:   "Stop the daemon",
		Example: "  tcred daemon stop",
		Args:    cobra.NoArgs,
		RunE:    func(cmd *cobra.Command, _ []string) error { return a.stopDaemon(cmd.Context()) },
	})
	return cmd
}

// daemonMode is who runs the daemon: a helper in the background, by way of a process that detached it, a supervisor,
// which may want the log file too (launchd), or a person.
type daemonMode struct{ background, detached, service bool }

// runDaemon serves until ctx ends, a client stops it, or its socket is gone.
func (a *app) runDaemon(ctx context.Context, mode daemonMode) error {
	process.Harden()
	ctx, stop := signal.NotifyContext(ctx, syscall.SIGHUP) // its terminal was closed
	defer stop()
	p, err := dirs.Find()
	if err != nil {
		return err
	}
	mode.background = mode.background || mode.detached
	log := a.daemonLog(p, mode.background)
	err = a.serve(ctx, p, mode, log)
	if mode.background && errors.Is(err, daemon.ErrRunning) {
		return nil // whoever started this daemon will find the other one
	}
	if err != nil && mode.background { // in the foreground stderr gets it as the command's error
		log.Error("daemon ends", "err", err)
	}
	return err
}

// serve runs the daemon on the socket of this environment.
func (a *app) serve(ctx context.Context, p dirs.Places, mode daemonMode, log *slog.Logger) error {
	path, err := place.Socket()
	if err != nil {
		return err
	}
	systemd := daemon.Notify()
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	at, err := daemon.Open(ctx, daemon.Opening{
		Path: path, Service: mode.service, Stop: (&client.Client{Socket: path}).Stop, Gone: stop, Log: log,
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
		Broker: b, Keystore: set, Keys: keys.Keeper{Set: set, Index: indexOf(p)}, Choose: set.Choose, Reload: set.Reload,
		Problem: set.Problem, ReadKey: set.ReadKey, Peer: daemon.PeerOf, UID: os.Geteuid(), Log: log,
		IdleExit: set.IdleExit(at.Service), Config: p.Config, Again: true,
		Status: func() api.Status {
			st := api.Status{
				Version: api.Version, PID: os.Getpid(), Socket: at.Path, Cache: p.Cache,
				Keystore: set.StoreName(), Problem: api.ProblemOf(api.AsError(set.Problem())),
			}
			if err := cache.Open(p.Cache, log).Problem(); err != nil {
				st.CacheProblem = human.OneLine(err.Error())
			}
			return st
		},
	}
	systemd.Follow(ctx, b.Alive, log)
	log.Info("listening", "socket", at.Path, "config", p.Config, "version", api.Version, "pid", os.Getpid())
	if mode.detached && !at.Resumed {
		ready()
	}
	err = server.Serve(ctx, at.Listener)
	if errors.Is(err, daemon.ErrAgain) {
		log.Info("executing itself anew: what was forgotten leaves the memory with everything else")
		err = errors.Join(at.Again(systemd), at.Close()) // Again came back, so this process ends
	}
	log.Info("stopped")
	return err
}

// daemonLog is stderr for a daemon that somebody watches, else the log file, which takes a crash's last words too.
// A daemon without a place for its log serves all the same.
func (a *app) daemonLog(p dirs.Places, background bool) *slog.Logger {
	out, missing := a.err, error(nil)
	if background {
		if file, err := logfile.Open(p.Log(), a.crashInto); err == nil {
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
func (a *app) crashInto(file *os.File) error {
	a.crash.Store(file)
	if err := debug.SetCrashOutput(file, debug.CrashOptions{}); err != nil {
		return fmt.Errorf("pointing crash output at the log: %w", err)
	}
	return nil
}

// stopDaemon stops the daemon that runs, if one does.
func (a *app) stopDaemon(ctx context.Context) error {
	stop, err := service.StopDaemon(ctx, a.running())
	switch {
	case err != nil:
		return err
	case stop.PID == 0:
		a.tell("no daemon runs")
	case stop.Killed:
		a.tell("the daemon, process %d, did not stop by itself and was ended", stop.PID)
	default:
		a.tell("the daemon stopped")
	}
	return nil
}
