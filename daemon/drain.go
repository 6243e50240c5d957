package daemon

import (
	"context"
	"errors"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/tcred/tcred/internal/clock"
)

// busy is the connections on which a request is awaited for the first time, read, or answered. The zero busy is ready.
type busy struct {
	mu    sync.Mutex
	conns map[net.Conn]struct{}
}

// note is an http.Server's ConnState.
func (b *busy) note(c net.Conn, state http.ConnState) {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch state {
	case http.StateNew, http.StateActive:
		if b.conns == nil {
			b.conns = make(map[net.Conn]struct{})
		}
		b.conns[c] = struct{}{}
	default:
		delete(b.conns, c)
	}
}

func (b *busy) any() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return len(b.conns) > 0
}

// drain ends web once every connection it accepted has its answer, or ctx ends. Shutdown alone would hang up on those
// whose first request was not read yet, and nobody else can serve them. refuse ends web.Serve, whose result is in
// served.
func drain(ctx context.Context, web *http.Server, refuse func() error, served <-chan error, b *busy) error {
	err := refuse()
	<-served // from here on none is accepted
	web.SetKeepAlivesEnabled(false)
	for b.any() && clock.Sleep(ctx, 2*time.Millisecond) {
	}
	end := web.Shutdown(ctx)
	if errors.Is(end, context.DeadlineExceeded) {
		end = web.Close()
	}
	return errors.Join(err, end)
}
