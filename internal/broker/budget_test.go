package broker

import (
	"context"
	"log/slog"
	"testing"
	"time"

	"github.com/tcred/tcred/cache"
	"github.com/tcred/tcred/internal/broker/brokertest"
)

// lockEntryOf takes the lock of the profile's entry as another process does.
func (w *world) lockEntryOf(ctx context.Context) (unlock func(), err error) {
	id, _, err := w.STS.Config(brokertest.Profile)
	if err != nil {
		w.T.Fatal(err)
	}
	return cache.Open(w.Dir, slog.New(slog.DiscardHandler)).Lock(ctx, cache.KeyOf(id))
}

// holdEntry takes it until the story ends.
func (w *world) holdEntry() {
	w.T.Helper()
	unlock, err := w.lockEntryOf(w.T.Context())
	if err != nil {
		w.T.Fatal(err)
	}
	w.T.Cleanup(unlock)
}

// The budgets of keystore, lock and call end inside the 9 s of a caller, whichever of them is used up.
func TestACallerOfAHeldEntryGetsItsCredentialWithin9s(t *testing.T) {
	for _, key := range []time.Duration{0, time.Second, 3900 * time.Millisecond, 4900 * time.Millisecond} {
		for _, call := range []time.Duration{100 * time.Millisecond, 3 * time.Second, 3900 * time.Millisecond} {
			inWorld(t, 2*time.Hour, func(t *testing.T, w *world) {
				w.STS.Change(func(f *brokertest.STS) { f.KeyTime, f.Latency = key, call })
				w.holdEntry()
				start := time.Now()
				w.Must(0)
				if waited := time.Since(start); waited > 9*time.Second {
					t.Errorf("keystore %s, call %s: %s", key, call, waited)
				}
				w.WantCalls(1)
			})
		}
	}
}

func TestACallerOfAHeldEntryGetsTheOldCredentialWithin5s(t *testing.T) {
	for _, call := range []time.Duration{100 * time.Millisecond, 3 * time.Second} {
		for _, restarted := range []bool{true, false} {
			inWorld(t, 2*time.Hour, func(t *testing.T, w *world) {
				w.Must(0)
				time.Sleep(110 * time.Minute) // under the floor
				if restarted {
					w.restart()
				}
				w.STS.Change(func(f *brokertest.STS) { f.Latency = call })
				w.holdEntry()
				start := time.Now()
				w.Must(0)
				if waited := time.Since(start); waited > 5*time.Second {
					t.Errorf("call %s: %s", call, waited)
				}
			})
		}
	}
}

// A file keystore that many open at once on a busy machine: late is better than not at all.
func TestASlowKeystoreAndAFastCallEndWithin9s(t *testing.T) {
	inWorld(t, 2*time.Hour, func(t *testing.T, w *world) {
		w.STS.Change(func(f *brokertest.STS) { f.KeyTime = 7500 * time.Millisecond })
		w.holdEntry()
		start := time.Now()
		w.Must(0)
		if waited := time.Since(start); waited > 9*time.Second {
			t.Errorf("%s", waited)
		}
	})
}

// A lock that is free is had even where the keystore took all the time there is for it.
func TestAfterASlowKeystoreAFreeLockIsTaken(t *testing.T) {
	inWorld(t, 2*time.Hour, func(t *testing.T, w *world) {
		w.STS.Change(func(f *brokertest.STS) { f.KeyTime = 4900 * time.Millisecond })
		free := make(chan bool)
		go func() {
			time.Sleep(5200 * time.Millisecond) // STS is being asked
			ctx, cancel := context.WithTimeout(context.Background(), 100*time.Millisecond)
			defer cancel()
			unlock, err := w.lockEntryOf(ctx)
			if err == nil {
				unlock()
			}
			free <- err == nil
		}()
		w.Must(0)
		if <-free {
			t.Error("the lock was free while STS was asked")
		}
	})
}
