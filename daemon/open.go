package daemon

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"time"

	"github.com/tcred/tcred/api"
	"github.com/tcred/tcred/internal/clock"
)

// Endpoint is where the daemon is asked.
type Endpoint struct {
	net.Listener
	Path    string // of the socket
	Service bool   // a supervisor runs the daemon
	Resumed bool   // this process had it before Again
}

// Opening says how a daemon comes to its socket. Every field is required.
type Opening struct {
	Path    string
	Service bool                        // a supervisor runs this daemon: whichever has the socket is asked to stop
	Stop    func(context.Context) error // asks the daemon that listens on Path to stop
	Gone    func()                      // is called when Path no longer leads to this daemon's socket
	Log     *slog.Logger
}

// Open makes the socket, or takes the one that systemd passed, whose path is systemd's to keep, to watch and to remove,
// or the one that this process had before [Endpoint.Again].
// Without Service the error is ErrRunning where another daemon listens. ctx bounds the watch over the path.
func Open(ctx context.Context, o Opening) (Endpoint, error) {
	at, resumed, err := resume(o.Path)
	if err != nil || at.Listener != nil {
		at.Service = at.Service || o.Service
		if resumed != nil {
			watch(ctx, resumed, o)
		}
		return at, err
	}
	passed, err := Inherited()
	if err != nil {
		return Endpoint{}, err
	}
	if passed != nil {
		at := passed.Addr().String()
		if at != o.Path {
			o.Log.Warn("systemd listens elsewhere than clients of this environment ask",
				"socket", at, "clients", o.Path)
		}
		return Endpoint{Listener: passed, Path: at, Service: true}, nil
	}
	var l *Listener
	if o.Service {
		l, err = takeOver(ctx, o)
	} else {
		l, err = Listen(o.Path)
	}
	if err != nil {
		return Endpoint{}, err
	}
	if !l.lock.Locked() {
		o.Log.Warn("the socket's directory is on a file system without locks: two daemons may start at once, and one ends",
			"socket", o.Path)
	}
	watch(ctx, l, o)
	return Endpoint{Listener: l, Path: o.Path, Service: o.Service}, nil
}

func watch(ctx context.Context, l *Listener, o Opening) {
	go l.Watch(ctx, func() {
		o.Log.Warn("stopping: the socket is gone or another's", "socket", o.Path)
		o.Gone()
	})
}

// takeOverTimeout is how long a daemon that was asked to stop may take to give up its socket: until its callers have
// their answers, and some more.
const takeOverTimeout = api.AnswerTimeout + 3*time.Second

// takeOver listens once the daemon that has the socket has stopped, which it is asked to.
func takeOver(ctx context.Context, o Opening) (*Listener, error) {
	ctx, cancel := context.WithTimeout(ctx, takeOverTimeout)
	defer cancel()
	asked := false
	for {
		l, err := Listen(o.Path)
		if !errors.Is(err, ErrRunning) {
			return l, err
		}
		if stopErr := o.Stop(ctx); stopErr == nil && !asked {
			o.Log.Info("asked the daemon that runs to make room", "socket", o.Path)
			asked = true
		}
		if !clock.Sleep(ctx, 20*time.Millisecond) { // between two of its requests: it finishes those it has
			return nil, &api.Error{
				Code: api.Timeout, Hint: "tcred daemon stop", Cause: err,
				Message: "the daemon that listens on " + o.Path + " does not make room",
			}
		}
	}
}
