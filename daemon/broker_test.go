package daemon

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tcred/tcred/api"
	"github.com/tcred/tcred/cache"
	"github.com/tcred/tcred/credential"
)

// together asks n times at once, and fails the test unless all get the same answer.
func (w *world) together(n int, brokers ...*Broker) {
	w.t.Helper()
	got := make([]credential.Credential, n)
	var all sync.WaitGroup
	for i := range got {
		all.Go(func() {
			var err error
			if got[i], err = brokers[i%len(brokers)].Credential(context.Background(), "p", 0); err != nil {
				w.t.Error(err)
			}
		})
	}
	all.Wait()
	for _, c := range got {
		if c.SecretID != got[0].SecretID || c.Token != got[0].Token || !c.Expires.Equal(got[0].Expires) {
			w.t.Errorf("answers differ: %v and %v", c.SecretID, got[0].SecretID)
		}
	}
}

func Test200CallersAtOnceMakeOneSTSCall(t *testing.T) {
	inWorld(t, 2*time.Hour, func(t *testing.T, w *world) {
		w.together(200, w.broker)
		w.wantCalls(1)
	})
}

// Real time: a contended file lock burns its deadline in a bubble.
func TestTwoDaemonsOnOneCacheMakeOneSTSCall(t *testing.T) {
	w := newWorld(t, 2*time.Hour)
	w.sts.latency = 50 * time.Millisecond
	other := NewBroker(Options{Profiles: w.sts, Cache: cache.Open(w.dir, slog.New(slog.DiscardHandler)), Rate: testRate})
	w.together(50, w.broker, other)
	if calls := w.sts.newCalls(); calls != 1 {
		t.Errorf("%d STS calls", calls)
	}
}

func TestARestartedDaemonReadsTheDisk(t *testing.T) {
	inWorld(t, 2*time.Hour, func(t *testing.T, w *world) {
		first := w.must(0)
		w.restart()
		if c := w.must(0); c.SecretID != first.SecretID {
			t.Error("the credential on disk was not used")
		}
		w.wantCalls(1)
	})
}

// A caller that looked at memory just before a renewal ended starts one more: it must find what the first one brought.
func TestARenewalLooksAtMemoryFirst(t *testing.T) {
	inWorld(t, 2*time.Hour, func(t *testing.T, w *world) {
		w.breakCache()
		w.must(0)
		p, _ := w.sts.Lookup(t.Context(), "p")
		l, err := w.broker.join(t.Context(), w.broker.slot(p), p, goal{need: times.Floor})
		if err != nil || l.cred.IsZero() {
			t.Errorf("%v, %v", l, err)
		}
		w.wantCalls(1)
	})
}

// breakCache puts a file where the cache directory was.
func (w *world) breakCache() {
	w.dir = filepath.Join(w.t.TempDir(), "file")
	if err := os.WriteFile(w.dir, nil, 0o600); err != nil {
		w.t.Fatal(err)
	}
	w.restart()
}

func TestAnUnusableCacheDirectoryCostsAWarningOnly(t *testing.T) {
	inWorld(t, 2*time.Hour, func(t *testing.T, w *world) {
		w.breakCache()
		var log bytes.Buffer
		w.broker.log = slog.New(slog.NewTextHandler(&log, nil))
		w.refresh()
		w.together(200, w.broker)
		w.wantCalls(1)
		if !strings.Contains(log.String(), "the credential is in memory only") {
			t.Errorf("the log says %s", &log)
		}
		w.ask(time.Minute, 24*time.Hour)
		if calls := w.sts.newCalls(); calls > 27 {
			t.Errorf("%d STS calls in a day without a disk", calls)
		}
	})
}

func TestRefreshFetchesWhateverIsCached(t *testing.T) {
	inWorld(t, 2*time.Hour, func(t *testing.T, w *world) {
		first := w.must(0)
		time.Sleep(time.Minute)
		st, err := w.broker.Refresh(t.Context(), "p")
		if err != nil || !st.Expires.After(first.Expires) {
			t.Fatalf("%+v, %v", st, err)
		}
		if c := w.must(0); c.SecretID == first.SecretID {
			t.Error("the old credential is served after a refresh")
		}
		w.wantCalls(2)
		w.sts.fail(down)
		if _, err := w.broker.Refresh(t.Context(), "p"); !errors.Is(err, down) {
			t.Errorf("a refresh that failed says %v", err)
		}
		w.must(0) // and harms nobody
	})
}

func TestClearDropsMemoryAndDiskAndSaysUntilWhen(t *testing.T) {
	for name, prepare := range map[string]func(*world){
		"from memory": func(*world) {},
		"from disk":   (*world).restart,
	} {
		for _, profile := range []string{"p", ""} {
			t.Run(name+" "+profile, func(t *testing.T) {
				inWorld(t, 2*time.Hour, func(t *testing.T, w *world) {
					first := w.must(0)
					prepare(w)
					cleared, err := w.broker.Clear(t.Context(), profile)
					if err != nil || len(cleared.Credentials) != 1 || cleared.Credentials[0].Profile != "p" ||
						!cleared.Credentials[0].Expires.Equal(first.Expires) {
						t.Fatalf("%+v, %v", cleared, err)
					}
					if left, _ := filepath.Glob(filepath.Join(w.dir, "*.cred")); len(left) > 0 {
						t.Errorf("still on disk: %v", left)
					}
					if c := w.must(0); c.SecretID == first.SecretID {
						t.Error("a cleared credential was served")
					}
					w.wantCalls(2)
				})
			})
		}
	}
}

func TestClearTakesNoKeyToSayWhatItDrops(t *testing.T) {
	for _, profile := range []string{"p", ""} {
		inWorld(t, 2*time.Hour, func(t *testing.T, w *world) {
			first := w.must(0)
			w.restart()
			w.sts.change(func(f *fakeSTS) { f.keyErr = locked })
			cleared, err := w.broker.Clear(t.Context(), profile)
			if err != nil || len(cleared.Credentials) != 1 || !cleared.Credentials[0].Expires.Equal(first.Expires) {
				t.Errorf("%+v, %v", cleared, err)
			}
			if left, _ := filepath.Glob(filepath.Join(w.dir, "*.cred")); len(left) > 0 {
				t.Errorf("still on disk: %v", left)
			}
		})
	}
}

// A policy that was narrowed is when somebody clears: what the broad one issued goes too.
func TestClearDropsWhatAProfileHadBeforeItChanged(t *testing.T) {
	for _, profile := range []string{"p", ""} {
		for _, restarted := range []bool{false, true} {
			inWorld(t, 2*time.Hour, func(t *testing.T, w *world) {
				w.must(0)
				w.sts.change(func(f *fakeSTS) { f.edition++ })
				if restarted {
					w.restart()
				}
				cleared, err := w.broker.Clear(t.Context(), profile)
				left, _ := filepath.Glob(filepath.Join(w.dir, "*.cred"))
				gone := !restarted || profile == "" // from disk alone nobody can tell whose it was
				if err != nil || (len(cleared.Credentials) == 1) != gone || (len(left) == 0) != gone {
					t.Errorf("%q, restarted %t: %+v, %v, left %v", profile, restarted, cleared, err, left)
				}
			})
		}
	}
}

func TestClearOfNothingIsNoError(t *testing.T) {
	inWorld(t, 2*time.Hour, func(t *testing.T, w *world) {
		for _, profile := range []string{"p", ""} {
			if cleared, err := w.broker.Clear(t.Context(), profile); err != nil || cleared.Credentials == nil || len(cleared.Credentials) != 0 {
				t.Errorf("%+v, %v", cleared, err)
			}
		}
		if _, err := w.broker.Clear(t.Context(), "nobody"); api.CodeOf(err) != api.NoProfile {
			t.Errorf("got %v", err)
		}
	})
}

func TestLockDropsMemory(t *testing.T) {
	inWorld(t, 2*time.Hour, func(t *testing.T, w *world) {
		first := w.must(0)
		w.broker.Lock()
		w.sts.change(func(f *fakeSTS) { f.keyErr = locked })
		w.mustFail(api.KeystoreLocked)
		w.sts.change(func(f *fakeSTS) { f.keyErr = nil })
		if c := w.must(0); c.SecretID != first.SecretID {
			t.Error("what is on disk should still be there")
		}
		w.wantCalls(1)
	})
}

// A renewal that began before the lock would fail without having looked for what the disk has.
func TestACallAfterLockSharesNoRenewalFromBefore(t *testing.T) {
	inWorld(t, 2*time.Hour, func(t *testing.T, w *world) {
		first := w.must(0)
		time.Sleep(105 * time.Minute)
		w.sts.change(func(f *fakeSTS) { f.latency, f.err = 8*time.Second, denied })
		go w.broker.Credential(context.Background(), "p", 0) // it only leads
		time.Sleep(time.Second)
		w.broker.Lock()
		if c := w.must(0); c.SecretID != first.SecretID {
			t.Error("not the old credential")
		}
	})
}

func TestAnExpiredAnswerIsDropped(t *testing.T) {
	inWorld(t, 2*time.Hour, func(t *testing.T, w *world) {
		w.sts.change(func(f *fakeSTS) { f.given = time.Minute })
		w.mustFail(api.STSAnswer)
	})
}

func TestStatusTellsExpiryUseAndError(t *testing.T) {
	inWorld(t, 2*time.Hour, func(t *testing.T, w *world) {
		if st := w.broker.Status(t.Context()); len(st) != 1 || st[0].Name != "p" || !st[0].Expires.IsZero() {
			t.Fatalf("%+v", st)
		}
		c := w.must(0)
		time.Sleep(70 * time.Minute)
		w.sts.fail(denied)
		w.must(0)
		synctest.Wait()
		time.Sleep(2 * time.Second)
		st := w.broker.Status(t.Context())[0]
		if !st.Expires.Equal(c.Expires) || st.LastUse.IsZero() || st.LastIssue.IsZero() {
			t.Errorf("%+v", st)
		}
		if st.LastError == nil || st.LastError.Code != api.STSPermission || st.LastError.RequestID == "" {
			t.Errorf("last error: %+v", st.LastError)
		}
		if w.broker.Calls() != 2 {
			t.Errorf("%d calls", w.broker.Calls())
		}
	})
}

func TestAChangedProfileKeepsNothingOfTheOldOne(t *testing.T) {
	inWorld(t, 2*time.Hour, func(t *testing.T, w *world) {
		first := w.must(0)
		w.sts.change(func(f *fakeSTS) { f.edition++ })
		if c := w.must(0); c.SecretID == first.SecretID {
			t.Error("a changed policy was answered with an old token")
		}
		if n := len(w.broker.slots); n != 1 {
			t.Errorf("%d credentials are in memory", n)
		}
		w.wantCalls(2)
	})
}

// A monotonic reading would win each comparison of times, and it stands still while the machine sleeps.
func TestALeaseGoesByTheWallClock(t *testing.T) {
	now := time.Now()
	l := newLease(credential.Credential{SecretID: "id", SecretKey: "k", Token: "t", Issued: now, Expires: now.Add(time.Hour)}, now)
	if text := l.cred.Issued.String() + l.cred.Expires.String(); strings.Contains(text, "m=") {
		t.Errorf("monotonic readings in %s", text)
	}
}

func TestNothingInTheLogIsSecret(t *testing.T) {
	inWorld(t, 2*time.Hour, func(t *testing.T, w *world) {
		var log bytes.Buffer
		w.broker.log = slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))
		w.must(0)
		time.Sleep(106 * time.Minute)
		w.sts.fail(slowly)
		w.must(0)
		for _, line := range []string{"msg=issued", "request=r1", `msg="no new credential"`, "code=sts_throttled", "request=59a5e07e"} {
			if !strings.Contains(log.String(), line) {
				t.Errorf("no %s in the log", line)
			}
		}
		for _, secret := range []string{"tmp key", "permanent", "token"} {
			if strings.Contains(log.String(), secret) {
				t.Errorf("%q is in the log", secret)
			}
		}
	})
}

func TestARenewalThatLandedMeanwhileIsNotRepeated(t *testing.T) {
	inWorld(t, 2*time.Hour, func(t *testing.T, w *world) {
		w.must(0)
		time.Sleep(61 * time.Minute)
		p, err := w.sts.Lookup(t.Context(), "p")
		if err != nil {
			t.Fatal(err)
		}
		s := w.broker.slot(p)
		old, due := s.due(p.Revision, w.broker.now)
		if due > 0 {
			t.Fatalf("due in %v", due)
		}
		w.must(0) // another caller sees the same, and is faster
		time.Sleep(time.Minute)
		w.wantCalls(2)
		w.broker.flight(s, p, old.ahead(w.broker.now()))
		time.Sleep(time.Minute)
		w.wantCalls(0)
	})
}

func TestAFailureIsToldRatherThanThatNoTimeIsLeft(t *testing.T) {
	inWorld(t, 2*time.Hour, func(t *testing.T, w *world) {
		w.sts.change(func(f *fakeSTS) { f.err, f.latency = down, 11*time.Second })
		w.mustFail(api.Timeout)
		time.Sleep(3 * time.Second) // it fails after 11 s, and that is remembered for 2
		w.mustFail(down.Code)
		w.wantCalls(1)
	})
}
