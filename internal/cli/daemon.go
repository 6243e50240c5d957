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
	"time"

	"github.com/spf13/cobra"

	"github.com/tcred/tcred/api"
	"github.com/tcred/tcred/cache"
	"github.com/tcred/tcred/client"
	"github.com/tcred/tcred/credential"
	"github.com/tcred/tcred/daemon"
	"github.com/tcred/tcred/internal/config"
	"github.com/tcred/tcred/internal/place"
	"github.com/tcred/tcred/internal/place/dirs"
	"github.com/tcred/tcred/internal/profile"
	"github.com/tcred/tcred/internal/socket"
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
	cmd.Flags().BoolVar(&mode.service, "service", false, "take over from the daemon that runs, and never end for idleness")
	cmd.Flags().BoolVar(&mode.background, "background", false, "log to the log file; unless --service, leave a daemon behind")
	cmd.Flags().BoolVar(&mode.detached, "detached", false, "be the daemon that --background leaves behind")
	for _, flag := range []string{"background", "detached"} {
		cmd.Flags().MarkHidden(flag) // the flag is there
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
	harden()
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
		return nil // who started this one will find that one
	}
	if err != nil && mode.background { // else it is said on stderr as it is
		log.Error("daemon ends", "err", err)
	}
	return err
}

func (a *app) serve(ctx context.Context, p dirs.Places, mode daemonMode, log *slog.Logger) error {
	path, err := place.Socket()
	if err != nil {
		return err
	}
	systemd := daemon.Notify()
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	l, err := a.listen(ctx, path, mode.service, log, stop)
	if err != nil {
		return err
	}
	set := profile.Open(profile.Options{
		ConfigPath: p.Config, Index: indexOf(p), FileDir: p.Keys, Log: log,
		Notify: func(line string) { log.Warn(line) },
	})
	broker := daemon.NewBroker(daemon.Options{Profiles: set, Cache: cache.Open(p.Cache, log), Log: log, Rate: stsRate(set)})
	server := &daemon.Server{
		Broker: broker, Keystore: storeOf{set}, Reload: set.Reload, Peer: daemon.PeerOf, UID: os.Geteuid(), Log: log,
		IdleExit: idleExit(set, l.service), Config: p.Config,
		Status: func() api.Status {
			return api.Status{
				Version: api.Version, PID: os.Getpid(), Socket: l.path,
				Keystore: storeName(set), Problem: api.ProblemOf(api.AsError(set.Problem())),
			}
		},
	}
	tellSystemd(ctx, systemd, broker, log)
	log.Info("listening", "socket", l.path, "config", p.Config, "version", api.Version, "pid", os.Getpid())
	if mode.detached {
		ready()
	}
	err = server.Serve(ctx, l)
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

// stopDaemon asks the daemon to stop and waits until its process is gone.
func (a *app) stopDaemon(ctx context.Context) error {
	c := new(client.Client)
	asking, cancel := context.WithTimeout(ctx, api.ClientTimeout)
	defer cancel()
	status, unknown := daemonStatus(asking)
	err := unknown
	if !errors.Is(unknown, socket.ErrNotListening) {
		err = c.Stop(asking) // also of a daemon that cannot say how it is
	}
	if errors.Is(err, socket.ErrNotListening) {
		a.tell("no daemon runs")
		return nil
	}
	if err != nil {
		return err
	}
	if unknown != nil {
		return unknown
	}
	ctx, cancel = context.WithTimeout(ctx, stopTimeout) // it finishes what it was asked
	defer cancel()
	for alive(status.PID) {
		select {
		case <-ctx.Done():
			return &api.Error{Code: api.Timeout, Message: "the daemon is still stopping", Hint: "tcred logs"}
		case <-time.After(10 * time.Millisecond):
		}
	}
	a.tell("the daemon stopped")
	return nil
}

// storeOf is the keystore that config names at the moment, for the server.
type storeOf struct{ set *profile.Set }

func (s storeOf) Unlock(ctx context.Context, passphrase credential.Secret) error {
	store, err := s.set.Store()
	if err != nil {
		return err
	}
	return store.Unlock(ctx, passphrase)
}

func (s storeOf) Lock() {
	if store, err := s.set.Store(); err == nil {
		store.Lock()
	}
}

func storeName(set *profile.Set) string {
	store, err := set.Store()
	if err != nil {
		return ""
	}
	return store.Name()
}

// stsRate is the default while there is no config to go by.
func stsRate(set *profile.Set) int {
	c, err := set.Config()
	if err != nil {
		return config.DefaultSTSRate
	}
	return c.STSRate
}

func idleExit(set *profile.Set, service bool) time.Duration {
	c, err := set.Config()
	if err != nil || service {
		return 0
	}
	return c.IdleExit
}
