// Package brokertest is a machine and an STS in memory, for tests of the broker and of what serves it: the machine's
// clocks and cache directory, and what STS, keystore and config do there, which a test changes as it goes.
//
// It knows no broker. Whoever tests one wraps the STS as its source.
package brokertest

import (
	"context"
	"path/filepath"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tcred/tcred/api"
	"github.com/tcred/tcred/credential"
)

// Profile is the name of the one profile that there is.
const Profile = "p"

// Key is the permanent SecretKey that the keystore holds.
const Key credential.Secret = "the permanent key"

// Rate is how many calls of STS a second a broker of a test should make at most.
const Rate = 20

// Asker is what a tool asks: a broker.
type Asker interface {
	Credential(ctx context.Context, name string, minTTL time.Duration) (credential.Credential, error)
}

// World is one machine in a synctest bubble. The bubble's time is the monotonic clock. True time is that and what the
// machine slept; the wall clock is true time and how wrong it is.
type World struct {
	T     testing.TB
	Dir   string // of the cache
	STS   *STS
	Asker Asker // whom Get and Must ask

	mu    sync.Mutex
	slept time.Duration
	wrong time.Duration
}

// New is a world whose profile asks for credentials of that duration.
func New(t testing.TB, duration time.Duration) *World {
	w := &World{T: t, Dir: filepath.Join(t.TempDir(), "cache")}
	w.STS = &STS{world: w, Duration: duration, Latency: time.Second, Token: "token", dead: make(map[string]time.Time)}
	return w
}

// In runs a story in a bubble, in which renewals under way end before it does.
func In(t *testing.T, duration time.Duration, story func(*testing.T, *World)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		w := New(t, duration)
		t.Cleanup(func() { time.Sleep(time.Minute) })
		story(t, w)
	})
}

// Run runs f beside the story until the story ends.
func (w *World) Run(f func(context.Context)) {
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { f(ctx); close(done) }()
	w.T.Cleanup(func() { stop(); <-done })
}

// Truth is the time that it really is.
func (w *World) Truth() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return time.Now().Round(0).Add(w.slept)
}

// Wall is what the wall clock says.
func (w *World) Wall() time.Time {
	truth := w.Truth()
	w.mu.Lock()
	defer w.mu.Unlock()
	return truth.Add(w.wrong)
}

// Sleep closes the laptop's lid for d: the monotonic clock stands still.
func (w *World) Sleep(d time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.slept += d
}

// Step sets the wall clock wrong by d more.
func (w *World) Step(d time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.wrong += d
}

// Get asks as a tool does, and fails the test if what it gets is dead in truth.
func (w *World) Get(minTTL time.Duration) (credential.Credential, error) {
	w.T.Helper()
	c, err := w.Asker.Credential(w.T.Context(), Profile, minTTL)
	if err != nil {
		if !c.IsZero() {
			w.T.Errorf("an error came with a credential: %v", err)
		}
		return c, err
	}
	if c.IsZero() {
		w.T.Error("an empty credential was served")
	}
	if over := w.STS.End(c); !w.Truth().Before(over) {
		w.T.Errorf("a dead credential was served, %v after its end", w.Truth().Sub(over))
	}
	return c, nil
}

// Must is Get, and an error ends the test.
func (w *World) Must(minTTL time.Duration) credential.Credential {
	w.T.Helper()
	c, err := w.Get(minTTL)
	if err != nil {
		w.T.Fatalf("no credential: %v", err)
	}
	return c
}

// MustFail asks and wants an error of that code.
func (w *World) MustFail(code api.Code) *api.Error {
	w.T.Helper()
	_, err := w.Get(0)
	if api.CodeOf(err) != code {
		w.T.Fatalf("got error %v (%s), want %s", err, api.CodeOf(err), code)
	}
	return api.AsError(err)
}

// WantCalls checks how many calls STS got since the last look.
func (w *World) WantCalls(want int) {
	w.T.Helper()
	synctest.Wait()
	if got := w.STS.NewCalls(); got != want {
		w.T.Errorf("STS was called %d times, want %d", got, want)
	}
}
