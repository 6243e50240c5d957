package broker

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tcred/tcred/api"
	"github.com/tcred/tcred/internal/broker/brokertest"
	"github.com/tcred/tcred/internal/say"
)

func TestAPermanentFailureIsAnsweredFromMemoryFor10s(t *testing.T) {
	inWorld(t, 2*time.Hour, func(t *testing.T, w *world) {
		w.STS.Fail(brokertest.Denied)
		w.MustFail(api.STSPermission)
		w.WantCalls(1)
		for range 9 {
			time.Sleep(time.Second)
			if e := w.MustFail(api.STSPermission); e.RequestID != brokertest.Denied.RequestID {
				t.Error("the remembered failure lost its request id")
			}
		}
		w.WantCalls(0)
		time.Sleep(time.Second)
		w.MustFail(api.STSPermission)
		w.WantCalls(1)
	})
}

func TestARefusalThatIsOnlyRememberedSaysSo(t *testing.T) {
	inWorld(t, 2*time.Hour, func(t *testing.T, w *world) {
		w.STS.Fail(brokertest.Denied)
		if e := w.MustFail(api.STSPermission); e.Hint != brokertest.Denied.Hint {
			t.Errorf("who waited for STS hears %q", e.Hint)
		}
		for _, want := range []string{"just now", "4s ago"} {
			if e := w.MustFail(api.STSPermission); e.Hint != brokertest.Denied.Hint+"; asked "+want+": tcred refresh p asks now" {
				t.Errorf("got %q", e.Hint)
			}
			time.Sleep(4 * time.Second)
		}
		if brokertest.Denied.Hint != w.broker.Status(t.Context())[0].LastError.Hint {
			t.Error("the status says so too")
		}
	})
}

func TestAPersonWhoTriesAgainIsAskedAnew(t *testing.T) {
	inWorld(t, 2*time.Hour, func(t *testing.T, w *world) {
		for _, err := range []*api.Error{brokertest.Denied, brokertest.Down} {
			w.STS.Fail(err)
			w.MustFail(err.Code)
			w.STS.NewCalls()
			w.STS.Fail(nil)
			w.MustFail(err.Code)
			w.broker.Retry(t.Context(), "nosuch")
			w.broker.Retry(t.Context(), "p")
			w.Must(0)
			w.WantCalls(1)
			w.broker.Clear(t.Context(), "p")
		}
	})
}

func TestWhatMendsAFailureMakesTheNextCallTry(t *testing.T) {
	for name, mend := range map[string]func(*world){
		"unlock or reload": func(w *world) { w.broker.Forget() },
		"lock":             func(w *world) { w.broker.Lock() },
		"a config change":  func(w *world) { w.STS.Change(func(f *brokertest.STS) { f.Revision++ }) },
		"a policy change":  func(w *world) { w.STS.Change(func(f *brokertest.STS) { f.Edition++ }) },
	} {
		t.Run(name, func(t *testing.T) {
			inWorld(t, 2*time.Hour, func(t *testing.T, w *world) {
				w.STS.Fail(brokertest.Denied)
				w.MustFail(api.STSPermission)
				w.STS.Fail(nil)
				w.MustFail(api.STSPermission)
				mend(w)
				w.Must(0)
				w.WantCalls(2)
			})
		})
	}
}

func TestRefreshTriesWhateverFailed(t *testing.T) {
	inWorld(t, 2*time.Hour, func(t *testing.T, w *world) {
		w.STS.Fail(brokertest.Denied)
		w.MustFail(api.STSPermission)
		w.STS.Fail(nil)
		if _, err := w.broker.Refresh(t.Context(), "p"); err != nil {
			t.Fatal(err)
		}
		w.Must(0)
		w.WantCalls(2)
	})
}

// Every other failure of STS is held for 2 s: a tool in a loop must not become a loop of STS calls.
func TestOtherFailuresAreNotTriedAgainWithin2s(t *testing.T) {
	for _, err := range []*api.Error{brokertest.Down, brokertest.Slowly, brokertest.Skewed, brokertest.Defect} {
		t.Run(string(err.Code), func(t *testing.T) {
			inWorld(t, 2*time.Hour, func(t *testing.T, w *world) {
				w.STS.Fail(err)
				w.MustFail(err.Code)
				w.STS.NewCalls()
				for range 19 {
					time.Sleep(100 * time.Millisecond)
					w.MustFail(err.Code)
				}
				w.WantCalls(0)
				w.STS.Fail(nil)
				time.Sleep(100 * time.Millisecond)
				w.Must(0)
				w.WantCalls(1)
			})
		})
	}
}

func TestAKeystoreFailureIsNeverHeld(t *testing.T) {
	for _, code := range []api.Code{
		api.NoKey, api.KeystoreLocked, api.KeystoreAbsent, api.KeystoreTimeout, api.KeystoreFailed, api.WrongPassphrase,
	} {
		inWorld(t, 2*time.Hour, func(t *testing.T, w *world) {
			w.STS.Change(func(f *brokertest.STS) { f.KeyErr = &api.Error{Code: code, Message: "no"} })
			w.MustFail(code)
			w.STS.Change(func(f *brokertest.STS) { f.KeyErr = nil })
			w.Must(0)
		})
	}
}

// An unattended daemon must not knock at a locked keystore all night.
func TestALockedKeystoreIsNotTriedBehindAnyonesBack(t *testing.T) {
	inWorld(t, 2*time.Hour, func(t *testing.T, w *world) {
		w.refresh()
		w.Must(0)
		time.Sleep(time.Minute)
		w.Must(0)
		w.WantCalls(1)
		w.STS.Fail(brokertest.Locked)
		time.Sleep(130 * time.Minute) // expired, and found so
		w.STS.NewCalls()
		time.Sleep(24 * time.Hour)
		w.WantCalls(0)
	})
}

func TestACallerThatLeavesDoesNotEndTheRenewal(t *testing.T) {
	inWorld(t, 2*time.Hour, func(t *testing.T, w *world) {
		ctx, leave := context.WithTimeout(t.Context(), 100*time.Millisecond)
		defer leave()
		if _, err := w.broker.Credential(ctx, "p", 0); api.CodeOf(err) != api.Timeout {
			t.Fatalf("got %v", err)
		}
		time.Sleep(2 * time.Second)
		w.Must(0)
		w.WantCalls(1)
	})
}

// The second caller joins a renewal that is content with less than its min_ttl, and needs one of its own after it.
func TestACallerWaitsAtMost9sThroughTwoRenewals(t *testing.T) {
	inWorld(t, 2*time.Hour, func(t *testing.T, w *world) {
		w.Must(0)
		time.Sleep(99 * time.Minute)
		w.restart()
		w.STS.Change(func(f *brokertest.STS) { f.KeyTime, f.Latency = 4*time.Second, 8*time.Second })
		go w.broker.Credential(context.Background(), "p", 0) // it only leads
		time.Sleep(time.Millisecond)
		start := time.Now()
		_, err := w.Get(time.Hour)
		if waited := time.Since(start); waited > 9*time.Second {
			t.Errorf("waited %v", waited)
		}
		if api.CodeOf(err) != api.MinTTLUnmet || !strings.Contains(err.Error(), "left of the 1h asked for") {
			t.Errorf("got %v", err)
		}
		time.Sleep(5 * time.Second)
		w.Must(time.Hour)
		w.WantCalls(2)
	})
}

// Tools give up on a helper after 10 s: while STS hangs, a caller who can have the old credential has it long before.
func TestACallerWaitsAtMost5sWhileTheOldCredentialIsGood(t *testing.T) {
	for _, c := range []struct {
		left, minTTL time.Duration
		want         time.Duration
		served       bool
	}{
		{10 * time.Minute, 0, 5 * time.Second, true},
		{10 * time.Minute, 9 * time.Minute, 5 * time.Second, true},
		{10 * time.Minute, 10*time.Minute - 2*time.Second, 9 * time.Second, false}, // after 5 s it falls short
		{3 * time.Second, 0, 9 * time.Second, false},
		{0, 0, 9 * time.Second, false},
	} {
		inWorld(t, 2*time.Hour, func(t *testing.T, w *world) {
			w.Must(0)
			time.Sleep(119*time.Minute - c.left) // the margin is off
			w.restart()
			w.STS.Change(func(f *brokertest.STS) { f.Latency = time.Hour })
			start := time.Now()
			_, err := w.Get(c.minTTL)
			if waited := time.Since(start); waited != c.want || (err == nil) != c.served {
				t.Errorf("%s left, min-ttl %s: %v after %s, want one after %s: %t", c.left, c.minTTL, err, waited, c.want, c.served)
			}
		})
	}
}

func TestAnUnmetMinTTLSaysWhatToDoAboutItsCause(t *testing.T) {
	for _, c := range []struct {
		err  *api.Error
		hint string
	}{
		{brokertest.Denied, brokertest.Denied.Hint},
		{brokertest.Down, "ask for less, or try again"},
	} {
		inWorld(t, 2*time.Hour, func(t *testing.T, w *world) {
			w.Must(0)
			time.Sleep(61*time.Minute + 300*time.Millisecond)
			w.STS.Fail(c.err)
			_, err := w.Get(59 * time.Minute)
			e := api.AsError(err)
			if e.Code != api.MinTTLUnmet || e.Hint != c.hint || !strings.Contains(e.Message, "57m5") {
				t.Errorf("got %s", say.Text(e))
			}
		})
	}
}

// A loop that asks for more than STS gives makes a call each 10 s, not one each time round.
func TestAMinTTLThatNoCredentialMeetsIsNoCallEachTime(t *testing.T) {
	inWorld(t, 2*time.Hour, func(t *testing.T, w *world) {
		w.STS.Change(func(f *brokertest.STS) { f.Given = time.Hour })
		for range 15 {
			if _, err := w.Get(90 * time.Minute); api.CodeOf(err) != api.MinTTLUnmet {
				t.Fatalf("got %v", err)
			}
			time.Sleep(time.Second)
		}
		w.WantCalls(2)
		w.Must(30 * time.Minute)
		w.WantCalls(0)
		w.STS.Change(func(f *brokertest.STS) { f.Given = 0 })
		time.Sleep(10 * time.Second)
		w.Must(90 * time.Minute)
		w.WantCalls(1)
	})
}

func TestIdentityIsAskedOnceInACredentialsLifeAndWithin9s(t *testing.T) {
	inWorld(t, 2*time.Hour, func(t *testing.T, w *world) {
		for range 3 {
			id, err := w.broker.Identity(t.Context(), "p")
			if err != nil || id.AccountID == "" {
				t.Fatalf("%+v, %v", id, err)
			}
		}
		w.WantCalls(2) // one for the credential, one for its identity
		w.STS.Change(func(f *brokertest.STS) { f.Latency = 12 * time.Second })
		w.broker.Lock()
		w.broker.Clear(t.Context(), "p") // only to start cold
		start := time.Now()
		_, err := w.broker.Identity(t.Context(), "p")
		if waited := time.Since(start); api.CodeOf(err) != api.Timeout || waited > 9*time.Second {
			t.Errorf("after %v: %v", waited, err)
		}
	})
}

// GetCallerIdentity is allowed 20 times a second.
func TestIdentitiesOfKeysAndProfilesTogetherStayUnderTheLimit(t *testing.T) {
	inWorld(t, 2*time.Hour, func(t *testing.T, w *world) {
		var mu sync.Mutex
		var at []time.Time
		read := func(context.Context, string) (Question, error) {
			return func(context.Context) (api.Identity, error) {
				mu.Lock()
				defer mu.Unlock()
				at = append(at, time.Now())
				return api.Identity{Type: "CAMUser"}, nil
			}, nil
		}
		var all sync.WaitGroup
		for i := range 30 {
			all.Go(func() {
				if id, err := w.broker.KeyIdentity(t.Context(), fmt.Sprint("key", i), read); err != nil || id.Type == "" {
					t.Errorf("%+v, %v", id, err)
				}
			})
		}
		all.Wait()
		for i := identityRate; i < len(at); i++ {
			if gap := at[i].Sub(at[i-identityRate]); gap < time.Second {
				t.Errorf("call %d comes %s after call %d", i, gap, i-identityRate)
			}
		}
		if len(at) != 30 {
			t.Errorf("%d calls", len(at))
		}
	})
}

func TestWhoeverAsksForOneKeyAtOnceSharesTheAnswer(t *testing.T) {
	inWorld(t, 2*time.Hour, func(t *testing.T, w *world) {
		asked := 0
		read := func(ctx context.Context, key string) (Question, error) {
			if key != "work" {
				return nil, &api.Error{Code: api.NoKey, Message: "no such key"}
			}
			return func(context.Context) (api.Identity, error) {
				asked++
				time.Sleep(time.Second)
				return api.Identity{Type: "CAMUser"}, nil
			}, nil
		}
		for round := 1; round <= 2; round++ { // the second asks anew
			var all sync.WaitGroup
			for range 30 {
				all.Go(func() {
					if _, err := w.broker.KeyIdentity(t.Context(), "work", read); err != nil {
						t.Error(err)
					}
				})
			}
			all.Wait()
			if asked != round {
				t.Errorf("round %d: asked %d times", round, asked)
			}
		}
		if _, err := w.broker.KeyIdentity(t.Context(), "wrok", read); api.CodeOf(err) != api.NoKey {
			t.Errorf("got %v", err)
		}
		slow := func(ctx context.Context, _ string) (Question, error) {
			return func(context.Context) (api.Identity, error) { time.Sleep(time.Minute); return api.Identity{}, nil }, nil
		}
		start := time.Now()
		_, err := w.broker.KeyIdentity(t.Context(), "slow", slow)
		if e := api.AsError(err); time.Since(start) != api.AnswerTimeout || e.Code != api.Timeout || !strings.Contains(e.Message, `key "slow"`) {
			t.Errorf("after %s: %v", time.Since(start), err)
		}
	})
}

func TestAPanicInASourceFailsOneCallOnly(t *testing.T) {
	inWorld(t, 2*time.Hour, func(t *testing.T, w *world) {
		w.broker.profiles = profilesFunc(func(context.Context, string) (Profile, error) {
			return Profile{Name: "p", Lifetime: 2 * time.Hour, Source: broken{}}, nil
		})
		if e := w.MustFail(api.Internal); !strings.Contains(e.Message, "defect") {
			t.Errorf("got %q", e.Message)
		}
		w.broker.profiles = profiles{w.STS}
		time.Sleep(2 * time.Second)
		w.Must(0)
	})
}

// broken is a Source that panics.
type broken struct{ Source }

func (broken) ID() string { return "edition 0" }

type profilesFunc func(context.Context, string) (Profile, error)

func (f profilesFunc) Lookup(ctx context.Context, name string) (Profile, error) { return f(ctx, name) }

func (profilesFunc) Names(context.Context) []string { return nil }
