package broker

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
	"github.com/tcred/tcred/credential"
	"github.com/tcred/tcred/internal/broker/brokertest"
)

// together asks n times at once, and fails the test unless all get the same answer.
func (w *world) together(n int, brokers ...*Broker) {
	w.T.Helper()
	got := make([]credential.Credential, n)
	var all sync.WaitGroup
	for i := range got {
		all.Go(func() {
			var err error
			if got[i], err = brokers[i%len(brokers)].Credential(context.Background(), "p", 0); err != nil {
				w.T.Error(err)
			}
		})
	}
	all.Wait()
	for _, c := range got {
		if c.SecretID != got[0].SecretID || c.Token != got[0].Token || !c.Expires.Equal(got[0].Expires) {
			w.T.Errorf("answers differ: %v and %v", c.SecretID, got[0].SecretID)
		}
	}
}

func Test200CallersAtOnceMakeOneSTSCall(t *testing.T) {
	inWorld(t, 2*time.Hour, func(t *testing.T, w *world) {
		w.together(200, w.broker)
		w.WantCalls(1)
	})
}

// Real time: a contended file lock burns its deadline in a bubble.
func TestTwoDaemonsOnOneCacheMakeOneSTSCall(t *testing.T) {
	w := &world{World: brokertest.New(t, 2*time.Hour)}
	w.restart()
	w.STS.Latency = 50 * time.Millisecond
	other := w.another()
	w.together(50, w.broker, other)
	if calls := w.STS.NewCalls(); calls != 1 {
		t.Errorf("%d STS calls", calls)
	}
}

func TestAColdIssueReadsTheKeystoreOnce(t *testing.T) {
	inWorld(t, 2*time.Hour, func(t *testing.T, w *world) {
		w.Must(0)
		if n := w.STS.KeyReads(); n != 1 {
			t.Errorf("the keystore was read %d times", n)
		}
		w.STS.Fail(brokertest.Down) // three tries share one reading, too
		w.broker.Refresh(t.Context(), "p")
		if n := w.STS.KeyReads(); n != 2 {
			t.Errorf("the keystore was read %d times for two renewals", n)
		}
	})
}

func TestAnAnswerNamesTheLayerThatItIsFrom(t *testing.T) {
	inWorld(t, 2*time.Hour, func(t *testing.T, w *world) {
		want := func(layer string) {
			t.Helper()
			if a, err := w.broker.Answer(t.Context(), "p", 0); err != nil || a.Layer != layer {
				t.Errorf("from %q, want %q; %v", a.Layer, layer, err)
			}
		}
		want("sts")
		want("memory")
		w.restart()
		want("disk")
		w.STS.Fail(brokertest.Down)
		time.Sleep(110 * time.Minute)
		want("old")
	})
}

func TestARestartedDaemonReadsTheDisk(t *testing.T) {
	inWorld(t, 2*time.Hour, func(t *testing.T, w *world) {
		first := w.Must(0)
		w.restart()
		if c := w.Must(0); c.SecretID != first.SecretID {
			t.Error("the credential on disk was not used")
		}
		w.WantCalls(1)
	})
}

// A caller that looked at memory just before a renewal ended starts one more: it must find what the first one brought.
func TestARenewalLooksAtMemoryFirst(t *testing.T) {
	inWorld(t, 2*time.Hour, func(t *testing.T, w *world) {
		w.breakCache()
		w.Must(0)
		p, _ := profiles{w.STS}.Lookup(t.Context(), "p")
		l, err := w.broker.join(t.Context(), w.broker.slot(p), p, goal{need: times.Floor})
		if err != nil || l.cred.IsZero() {
			t.Errorf("%v, %v", l, err)
		}
		w.WantCalls(1)
	})
}

// breakCache puts a file where the cache directory was.
func (w *world) breakCache() {
	w.Dir = filepath.Join(w.T.TempDir(), "file")
	if err := os.WriteFile(w.Dir, nil, 0o600); err != nil {
		w.T.Fatal(err)
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
		w.WantCalls(1)
		if !strings.Contains(log.String(), "credentials are in memory only") {
			t.Errorf("the log says %s", &log)
		}
		w.ask(time.Minute, 24*time.Hour)
		if calls := w.STS.NewCalls(); calls > 27 {
			t.Errorf("%d STS calls in a day without a disk", calls)
		}
	})
}

func TestRefreshFetchesWhateverIsCached(t *testing.T) {
	inWorld(t, 2*time.Hour, func(t *testing.T, w *world) {
		first := w.Must(0)
		time.Sleep(time.Minute)
		st, err := w.broker.Refresh(t.Context(), "p")
		if err != nil || !st.Expires.After(first.Expires) {
			t.Fatalf("%+v, %v", st, err)
		}
		if c := w.Must(0); c.SecretID == first.SecretID {
			t.Error("the old credential is served after a refresh")
		}
		w.WantCalls(2)
		w.STS.Fail(brokertest.Down)
		if _, err := w.broker.Refresh(t.Context(), "p"); !errors.Is(err, brokertest.Down) {
			t.Errorf("a refresh that failed says %v", err)
		}
		w.Must(0) // and harms nobody
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
					first := w.Must(0)
					prepare(w)
					cleared, err := w.broker.Clear(t.Context(), profile)
					if err != nil || len(cleared.Credentials) != 1 || cleared.Credentials[0].Profile != "p" ||
						!cleared.Credentials[0].Expires.Equal(first.Expires) {
						t.Fatalf("%+v, %v", cleared, err)
					}
					if left, _ := filepath.Glob(filepath.Join(w.Dir, "*.cred")); len(left) > 0 {
						t.Errorf("still on disk: %v", left)
					}
					if c := w.Must(0); c.SecretID == first.SecretID {
						t.Error("a cleared credential was served")
					}
					w.WantCalls(2)
				})
			})
		}
	}
}

func TestClearTakesNoKeyToSayWhatItDrops(t *testing.T) {
	for _, profile := range []string{"p", ""} {
		inWorld(t, 2*time.Hour, func(t *testing.T, w *world) {
			first := w.Must(0)
			w.restart()
			w.STS.Change(func(f *brokertest.STS) { f.KeyErr = brokertest.Locked })
			cleared, err := w.broker.Clear(t.Context(), profile)
			if err != nil || len(cleared.Credentials) != 1 || !cleared.Credentials[0].Expires.Equal(first.Expires) {
				t.Errorf("%+v, %v", cleared, err)
			}
			if left, _ := filepath.Glob(filepath.Join(w.Dir, "*.cred")); len(left) > 0 {
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
				w.Must(0)
				w.STS.Change(func(f *brokertest.STS) { f.Edition++ })
				if restarted {
					w.restart()
				}
				cleared, err := w.broker.Clear(t.Context(), profile)
				left, _ := filepath.Glob(filepath.Join(w.Dir, "*.cred"))
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
		first := w.Must(0)
		w.broker.Lock()
		w.STS.Change(func(f *brokertest.STS) { f.KeyErr = brokertest.Locked })
		w.MustFail(api.KeystoreLocked)
		w.STS.Change(func(f *brokertest.STS) { f.KeyErr = nil })
		if c := w.Must(0); c.SecretID != first.SecretID {
			t.Error("what is on disk should still be there")
		}
		w.WantCalls(1)
	})
}

// A renewal that began before the lock would fail without having looked for what the disk has.
func TestACallAfterLockSharesNoRenewalFromBefore(t *testing.T) {
	inWorld(t, 2*time.Hour, func(t *testing.T, w *world) {
		first := w.Must(0)
		time.Sleep(105 * time.Minute)
		w.STS.Change(func(f *brokertest.STS) { f.Latency, f.Err = 8*time.Second, brokertest.Denied })
		go w.broker.Credential(context.Background(), "p", 0) // it only leads
		time.Sleep(time.Second)
		w.broker.Lock()
		if c := w.Must(0); c.SecretID != first.SecretID {
			t.Error("not the old credential")
		}
	})
}

func TestAnExpiredAnswerIsDropped(t *testing.T) {
	inWorld(t, 2*time.Hour, func(t *testing.T, w *world) {
		w.STS.Change(func(f *brokertest.STS) { f.Given = time.Minute })
		w.MustFail(api.STSAnswer)
	})
}

func TestStatusTellsExpiryUseAndError(t *testing.T) {
	inWorld(t, 2*time.Hour, func(t *testing.T, w *world) {
		if st := w.broker.Status(t.Context()); len(st) != 1 || st[0].Name != "p" || !st[0].Expires.IsZero() {
			t.Fatalf("%+v", st)
		}
		c := w.Must(0)
		time.Sleep(70 * time.Minute)
		w.STS.Fail(brokertest.Denied)
		w.Must(0)
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
		first := w.Must(0)
		w.STS.Change(func(f *brokertest.STS) { f.Edition++ })
		if c := w.Must(0); c.SecretID == first.SecretID {
			t.Error("a changed policy was answered with an old token")
		}
		if n := len(w.broker.slots); n != 1 {
			t.Errorf("%d credentials are in memory", n)
		}
		w.WantCalls(2)
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
		w.Must(0)
		time.Sleep(106 * time.Minute)
		w.STS.Fail(brokertest.Slowly)
		w.Must(0)
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
		w.Must(0)
		time.Sleep(61 * time.Minute)
		p, err := profiles{w.STS}.Lookup(t.Context(), "p")
		if err != nil {
			t.Fatal(err)
		}
		s := w.broker.slot(p)
		old, due := s.due(p.Revision, w.broker.now)
		if due > 0 {
			t.Fatalf("due in %v", due)
		}
		w.Must(0) // another caller sees the same, and is faster
		time.Sleep(time.Minute)
		w.WantCalls(2)
		w.broker.flight(s, p, old.ahead(w.broker.now()))
		time.Sleep(time.Minute)
		w.WantCalls(0)
	})
}

func TestAFailureIsToldRatherThanThatNoTimeIsLeft(t *testing.T) {
	inWorld(t, 2*time.Hour, func(t *testing.T, w *world) {
		w.STS.Change(func(f *brokertest.STS) { f.Err, f.Latency = brokertest.Down, 11*time.Second })
		w.MustFail(api.Timeout)
		time.Sleep(3 * time.Second) // it fails after 11 s, and that is remembered for 2
		w.MustFail(brokertest.Down.Code)
		w.WantCalls(1)
	})
}
