package cli

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"time"

	"github.com/tcred/tcred/api"
	"github.com/tcred/tcred/client"
	"github.com/tcred/tcred/daemon"
)

// stopTimeout is what a daemon may take to finish what it was asked, and some more.
const stopTimeout = 12 * time.Second

// endpoint is where the daemon is asked.
type endpoint struct {
	net.Listener
	path    string
	service bool // a supervisor looks after the daemon
}

// listen makes the socket at path, or takes the one that systemd passed: its path is systemd's to keep, to watch and
// to remove. gone is called when the path no longer leads to a socket of ours.
func (a *app) listen(ctx context.Context, path string, service bool, log *slog.Logger, gone func()) (endpoint, error) {
	passed, err := daemon.Inherited()
	if err != nil {
		return endpoint{}, err
	}
	if passed != nil {
		if at := passed.Addr().String(); at != path {
			log.Warn("systemd listens elsewhere than clients of this environment ask", "socket", at, "clients", path)
			path = at
		}
		return endpoint{passed, path, true}, nil
	}
	open := daemon.Listen
	if service {
		open = func(path string) (*daemon.Listener, error) { return takeOver(ctx, path, log) }
	}
	l, err := open(path)
	if err != nil {
		return endpoint{}, err
	}
	go l.Watch(ctx, func() {
		log.Warn("stopping: the socket is gone or another's", "socket", path)
		gone()
	})
	return endpoint{l, path, service}, nil
}

// takeOver listens on path for a service, and asks a daemon that a helper started to make room.
func takeOver(ctx context.Context, path string, log *slog.Logger) (*daemon.Listener, error) {
	ctx, cancel := context.WithTimeout(ctx, stopTimeout)
	defer cancel()
	running, asked := &client.Client{Socket: path}, false
	for {
		l, err := daemon.Listen(path)
		if !errors.Is(err, daemon.ErrRunning) {
			return l, err
		}
		if stopErr := running.Stop(ctx); stopErr == nil && !asked {
			log.Info("asked the daemon that runs to make room", "socket", path)
			asked = true
		}
		select {
		case <-ctx.Done():
			return nil, &api.Error{
				Code: api.Timeout, Message: "the daemon that listens on " + path + " does not make room", Hint: "tcred daemon stop", Cause: err,
			}
		case <-time.After(20 * time.Millisecond): // between two of its requests: it finishes those it has
		}
	}
}

// tellSystemd says that the daemon is ready, feeds the watchdog, and says when it ends. A systemd that does not listen
// is no reason to end.
func tellSystemd(ctx context.Context, systemd *daemon.Notifier, broker *daemon.Broker, log *slog.Logger) {
	check := func(err error) {
		if err != nil {
			log.Warn("systemd was not told", "err", err)
		}
	}
	check(systemd.Ready())
	go func() { check(systemd.Feed(ctx, broker.Alive)) }()
	context.AfterFunc(ctx, func() { check(systemd.Stopping()) })
}
