package daemon

import (
	"context"
	"fmt"
	"log/slog"
	"path/filepath"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tcred/tcred/api"
	"github.com/tcred/tcred/cache"
	"github.com/tcred/tcred/credential"
)

// world is one machine in a synctest bubble: a broker, its clocks and STS. The bubble's time is the monotonic
// clock. True time is that and what the machine slept; the wall clock is true time and how wrong it is.
type world struct {
	t      *testing.T
	dir    string // of the cache
	broker *Broker
	sts    *fakeSTS

	mu    sync.Mutex
	slept time.Duration
	wrong time.Duration
}

const testRate = 20 // calls of STS a second

// inWorld runs a story in a bubble: a profile "p" of that duration, and a disk cache of its own.
func inWorld(t *testing.T, duration time.Duration, story func(*testing.T, *world)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, duration)
		t.Cleanup(func() { time.Sleep(time.Minute) }) // flights land before the bubble bursts
		story(t, w)
	})
}

func newWorld(t *testing.T, duration time.Duration) *world {
	w := &world{t: t, dir: filepath.Join(t.TempDir(), "cache")}
	w.sts = &fakeSTS{world: w, duration: duration, latency: time.Second, token: "token", dead: make(map[string]time.Time)}
	w.restart()
	return w
}

// restart is a new daemon on the same machine: memory is gone, the disk is as it was.
func (w *world) restart() {
	w.broker = NewBroker(Options{Profiles: w.sts, Cache: cache.Open(w.dir, slog.New(slog.DiscardHandler)), Now: w.wall, Rate: testRate})
}

// refresh runs the refresher until the story ends.
func (w *world) refresh() {
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { w.broker.RunRefresher(ctx); close(done) }()
	w.t.Cleanup(func() { stop(); <-done })
}

func (w *world) truth() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return time.Now().Round(0).Add(w.slept)
}

func (w *world) wall() time.Time {
	truth := w.truth()
	w.mu.Lock()
	defer w.mu.Unlock()
	return truth.Add(w.wrong)
}

// sleep closes the laptop's lid: the monotonic clock stands still.
func (w *world) sleep(d time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.slept += d
}

// step sets the wall clock wrong by d more.
func (w *world) step(d time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.wrong += d
}

// get asks as a tool does, and fails the test if what it gets is dead in truth.
func (w *world) get(minTTL time.Duration) (credential.Credential, error) {
	w.t.Helper()
	c, err := w.broker.Credential(w.t.Context(), "p", minTTL)
	if err != nil {
		if !c.IsZero() {
			w.t.Errorf("an error came with a credential: %v", err)
		}
		return c, err
	}
	if c.IsZero() {
		w.t.Error("an empty credential was served")
	}
	if over := w.sts.end(c); !w.truth().Before(over) {
		w.t.Errorf("a dead credential was served, %v after its end", w.truth().Sub(over))
	}
	return c, nil
}

func (w *world) must(minTTL time.Duration) credential.Credential {
	w.t.Helper()
	c, err := w.get(minTTL)
	if err != nil {
		w.t.Fatalf("no credential: %v", err)
	}
	return c
}

// mustFail asks and wants an error of that code.
func (w *world) mustFail(code api.Code) *api.Error {
	w.t.Helper()
	_, err := w.get(0)
	if api.CodeOf(err) != code {
		w.t.Fatalf("got error %v (%s), want %s", err, api.CodeOf(err), code)
	}
	return api.AsError(err)
}

// wantCalls checks how many calls STS got since the last look.
func (w *world) wantCalls(want int) {
	w.t.Helper()
	synctest.Wait()
	if got := w.sts.newCalls(); got != want {
		w.t.Errorf("STS was called %d times, want %d", got, want)
	}
}

// fakeSTS issues the credentials of profile "p", in memory. It is the Profiles and the Source.
type fakeSTS struct {
	world    *world
	duration time.Duration // asked for

	mu       sync.Mutex
	latency  time.Duration
	given    time.Duration // a life other than asked for
	token    credential.Secret
	err      error         // what every call fails with
	keyErr   error         // what the keystore fails with
	keyTime  time.Duration // the keystore takes
	noName   bool          // the profile is gone
	edition  int           // of config: another one is another cache key
	revision uint64
	calls    int
	at       []time.Time // of calls since the last look
	seen     int
	dead     map[string]time.Time // in truth, by SecretID
}

// change alters how STS, keystore or config behave from here on.
func (f *fakeSTS) change(how func(*fakeSTS)) {
	f.mu.Lock()
	defer f.mu.Unlock()
	how(f)
}

func (f *fakeSTS) fail(err error) { f.change(func(f *fakeSTS) { f.err = err }) }

func (f *fakeSTS) newCalls() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	n := f.calls - f.seen
	f.seen = f.calls
	return n
}

// times is when the calls since the last look came.
func (f *fakeSTS) times() []time.Time {
	f.mu.Lock()
	defer f.mu.Unlock()
	at := f.at
	f.at = nil
	return at
}

func (f *fakeSTS) end(c credential.Credential) time.Time {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.dead[c.SecretID]
}

func (f *fakeSTS) Names(context.Context) []string { return []string{"p"} }

func (f *fakeSTS) Lookup(_ context.Context, name string) (Profile, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if name != "p" || f.noName {
		return Profile{}, &api.Error{Code: api.NoProfile, Message: fmt.Sprintf("no profile %q", name)}
	}
	return Profile{
		Name: name, Key: "default", Lifetime: f.duration - credential.Margin, Revision: f.revision,
		Source: source{f, fmt.Sprintf("edition %d", f.edition)}, Secret: f.secret, Identify: f.identify,
	}, nil
}

func (f *fakeSTS) secret(ctx context.Context) (credential.Secret, error) {
	f.mu.Lock()
	wait, err := f.keyTime, f.keyErr
	f.mu.Unlock()
	sleep(ctx, wait)
	return "the permanent key", err
}

func (f *fakeSTS) identify(context.Context, credential.Credential) (api.Identity, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.calls++
	return api.Identity{Type: "CAMUser", AccountID: "100000000001", RequestID: fmt.Sprint("r", f.calls)}, f.err
}

type source struct {
	*fakeSTS
	id string
}

func (s source) ID() string { return s.id }

// Issue counts a life from the wall clock, as package sts does, and remembers when it ends in truth.
func (s source) Issue(ctx context.Context) (credential.Credential, error) {
	s.mu.Lock()
	s.calls++
	s.at = append(s.at, time.Now())
	n, latency, token, err := s.calls, s.latency, s.token, s.err
	life := s.duration
	if s.given != 0 {
		life = s.given
	}
	if err == nil {
		err = s.keyErr
	}
	s.mu.Unlock()
	issued, truth := s.world.wall(), s.world.truth()
	if !sleep(ctx, latency) {
		err = &api.Error{Code: api.Unreachable, Message: "cannot reach sts (i/o timeout)"}
	}
	if err != nil {
		return credential.Credential{}, err
	}
	c := credential.Credential{
		SecretID: fmt.Sprintf("tmp-%d", n), SecretKey: "tmp key", Token: token, RequestID: fmt.Sprint("r", n),
		Issued: issued, Expires: issued.Add(life - credential.Margin),
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.dead[c.SecretID] = truth.Add(life)
	return c, nil
}

// Failures, by what they are.
var (
	down   = &api.Error{Code: api.Unreachable, Message: "cannot reach sts"}
	slowly = &api.Error{Code: api.STSThrottled, Message: "too fast", RequestID: "59a5e07e"}
	denied = &api.Error{Code: api.STSPermission, Message: "may not call", Hint: "ask an administrator", RequestID: "59a5e07e"}
	skewed = &api.Error{Code: api.STSClock, Message: "this clock is behind", RequestID: "59a5e07e"}
	defect = &api.Error{Code: api.Internal, Message: "a code nobody knows", RequestID: "59a5e07e"}
	locked = &api.Error{Code: api.KeystoreLocked, Message: "the keychain is locked"}
)
