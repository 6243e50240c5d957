package daemon

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/tcred/tcred/api"
	"github.com/tcred/tcred/credential"
	"github.com/tcred/tcred/internal/broker"
	"github.com/tcred/tcred/internal/clock"
)

// Peer is the process at the other end of a connection.
type Peer struct {
	UID int // the kernel's word at connect; the only thing authorisation goes by
	PID int // for logs: a pid can be reused
}

// Keystore is the part of a keystore that clients may ask the daemon about, and to change.
type Keystore interface {
	Probe(ctx context.Context) error // why no key can be read, nil if one can; it never prompts
	Unlock(ctx context.Context, passphrase credential.Secret) error
	Lock()
}

// Keys takes permanent keys into the keystore, each with its entry in the index.
type Keys interface {
	Add(ctx context.Context, name string, key api.NewKey) error
}

// Server answers the socket's requests. Every field but Now and IdleExit is required.
type Server struct {
	Broker   *broker.Broker
	Keystore Keystore
	Keys     Keys
	Config   string                                // path of config.toml; a client that names another is refused
	Status   func() api.Status                     // all but what the server and the broker know
	Choose   func(context.Context) (string, error) // the profile of who names none, as profile.Set has it
	Reload   func() error                          // looks at config now and says what is wrong with it
	Problem  func() error                          // why not all of the config on disk is in use, nil while it is
	ReadKey  func(ctx context.Context, key string) (broker.Question, error)
	Peer     func(net.Conn) (Peer, error)
	UID      int // the only uid that is answered
	Log      *slog.Logger
	Now      func() time.Time // the wall clock; nil is time.Now
	IdleExit time.Duration    // without a request for so long the server stops; 0 never
	Again    bool             // after a lock Serve returns ErrAgain

	again   chan struct{} // a lock was asked for
	stop    context.CancelFunc
	lastUse atomic.Int64 // monotonic, as time.Since(started)
	started time.Time
	relock  relock
	busy    busy
}

// grace is what requests under way may take when the server stops: over api.AnswerTimeout.
const grace = 9500 * time.Millisecond

type peerKey struct{}

// Serve answers on l, runs the refresher, and stops when ctx ends, a client asks for it, l fails, or nobody asks for
// IdleExit. Requests under way get a moment to finish. With Again it stops after a lock too, with ErrAgain, and l stays
// open: whoever accepts on it next serves those who wait.
func (s *Server) Serve(ctx context.Context, l net.Listener) error {
	outer := ctx
	ctx, s.stop = context.WithCancel(ctx)
	defer s.stop()
	s.started = time.Now()
	defer s.relock.cancel()
	s.again = make(chan struct{}, 1)
	held := &holding{Listener: l}
	web := &http.Server{
		Handler:           s.handler(),
		ConnContext:       s.identify,
		ConnState:         s.busy.note,
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       10 * time.Second,
		WriteTimeout:      time.Minute, // over the longest answer, an unlock
		IdleTimeout:       time.Minute,
		MaxHeaderBytes:    api.MaxHeader,
		ErrorLog:          slog.NewLogLogger(s.Log.Handler(), slog.LevelDebug),

		DisableGeneralOptionsHandler: true, // every answer is ours
	}
	failed := make(chan error, 1)
	go func() { failed <- web.Serve(held) }()
	refreshed := make(chan struct{})
	go func() { s.Broker.RunRefresher(ctx); close(refreshed) }()
	go s.watchIdle(ctx)

	var err error
	select {
	case err = <-failed:
		s.stop()
	case <-ctx.Done():
		err = s.end(ctx, grace, web, held.Close, failed)
	case <-s.again:
		err = s.end(ctx, againGrace, web, held.hold, failed)
		if err == nil && ctx.Err() == nil {
			err = ErrAgain
		} else { // or it was told to stop meanwhile
			err = errors.Join(err, l.Close())
		}
		s.stop()
	}
	<-refreshed
	if errors.Is(err, ErrAgain) { // else there could be twice as many calls in a second as STS is to see
		s.Broker.Settle(outer)
	}
	if errors.Is(err, ErrAgain) && outer.Err() != nil { // a signal came
		return l.Close()
	}
	return err
}

// end lets requests under way finish, within a time.
func (s *Server) end(
	ctx context.Context, within time.Duration, web *http.Server, refuse func() error, served <-chan error,
) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), within)
	defer cancel()
	return drain(ctx, web, refuse, served, &s.busy)
}

// identify notes at accept who connected.
func (s *Server) identify(ctx context.Context, c net.Conn) context.Context {
	peer, err := s.Peer(c)
	if err != nil {
		s.Log.Warn("cannot tell who connected", "err", err)
		return ctx // check refuses who is not known
	}
	return context.WithValue(ctx, peerKey{}, peer)
}

// watchIdle stops the server once nobody has asked for IdleExit.
func (s *Server) watchIdle(ctx context.Context) {
	if s.IdleExit <= 0 {
		return
	}
	for {
		idle := time.Since(s.started) - time.Duration(s.lastUse.Load())
		if idle >= s.IdleExit {
			s.Log.Info("stopping: idle", "for", idle.Round(time.Second))
			s.stop()
			return
		}
		if !clock.Sleep(ctx, s.IdleExit-idle) {
			return
		}
	}
}

// wall is the wall clock's alone: a monotonic reading would win each comparison of two times.
func (s *Server) wall() time.Time {
	if s.Now == nil {
		return time.Now().Round(0)
	}
	return s.Now().Round(0)
}
