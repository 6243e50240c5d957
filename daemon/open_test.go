//go:build unix

package daemon

import (
	"context"
	"errors"
	"log/slog"
	"testing"
	"time"

	"github.com/tcred/tcred/api"
)

// opening is an Opening of path whose log nobody reads, and whose socket nobody takes away.
func opening(path string, service bool, stop func(context.Context) error) Opening {
	return Opening{Path: path, Service: service, Stop: stop, Gone: func() {}, Log: slog.New(slog.DiscardHandler)}
}

func TestOnlyAServiceAsksWhoeverListensToStop(t *testing.T) {
	path := socketPath(t)
	first := mustListen(t, path)
	asked := false
	stop := func(context.Context) error { asked = true; return first.Close() }
	if _, err := Open(t.Context(), opening(path, false, stop)); !errors.Is(err, ErrRunning) || asked {
		t.Fatalf("without a supervisor: %v, asked is %v", err, asked)
	}
	e, err := Open(t.Context(), opening(path, true, stop))
	if err != nil || !asked {
		t.Fatalf("with one: %v, asked is %v", err, asked)
	}
	if e.Path != path || !e.Service {
		t.Errorf("got %+v", e)
	}
	if err := e.Close(); err != nil {
		t.Error(err)
	}
}

func TestAServiceDoesNotWaitForEverForTheSocket(t *testing.T) {
	path := socketPath(t)
	mustListen(t, path)
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	_, err := Open(ctx, opening(path, true, func(context.Context) error { return nil }))
	if api.CodeOf(err) != api.Timeout || !errors.Is(err, ErrRunning) {
		t.Errorf("got %v", err)
	}
}
