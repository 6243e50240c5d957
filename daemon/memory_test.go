package daemon

import (
	"bytes"
	"context"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/tcred/tcred/api"
	"github.com/tcred/tcred/cache"
)

// another is a second daemon on the same machine and cache.
func (w *world) another() *Broker {
	return NewBroker(Options{Profiles: w.sts, Cache: cache.Open(w.dir, slog.New(slog.DiscardHandler)), Now: w.wall, Rate: testRate})
}

func TestLockDropsWhatIsInMemory(t *testing.T) {
	inService(t, nil, func(t *testing.T, s *service) {
		s.must(0)
		s.ok(http.MethodPost, api.PathLock, "", nil)
		s.sts.change(func(f *fakeSTS) { f.keyErr = locked })
		s.mustFail(api.KeystoreLocked)
	})
}

func TestClearingAllReachesWhatConfigNoLongerNames(t *testing.T) {
	inWorld(t, 2*time.Hour, func(t *testing.T, w *world) {
		w.must(0)
		w.sts.change(func(f *fakeSTS) { f.noName = true })
		cleared, err := w.broker.Clear(t.Context(), "")
		if err != nil || len(cleared.Credentials) != 1 || cleared.Credentials[0].Profile != "p" {
			t.Errorf("got %+v, %v", cleared, err)
		}
		w.sts.change(func(f *fakeSTS) { f.noName = false })
		w.must(0)
		w.wantCalls(2)
	})
}

func TestARemovedProfileLeavesMemory(t *testing.T) {
	inWorld(t, 2*time.Hour, func(t *testing.T, w *world) {
		w.refresh()
		w.must(0)
		time.Sleep(time.Minute)
		w.must(0)
		w.sts.change(func(f *fakeSTS) { f.noName = true })
		time.Sleep(time.Minute)
		w.broker.mu.Lock()
		defer w.broker.mu.Unlock()
		if n := len(w.broker.slots); n != 0 {
			t.Errorf("%d credentials are kept", n)
		}
	})
}

func TestAnotherProcessesSuccessEndsAFailure(t *testing.T) {
	inWorld(t, 2*time.Hour, func(t *testing.T, w *world) {
		w.refresh()
		w.must(0)
		w.sts.fail(down)
		for range 15 {
			time.Sleep(7 * time.Minute)
			w.must(0)
		}
		w.sts.fail(nil)
		if _, err := w.another().Credential(t.Context(), "p", time.Hour); err != nil {
			t.Fatal(err)
		}
		time.Sleep(3 * time.Second)
		w.must(time.Hour)
		if st := w.broker.Status(t.Context())[0]; st.LastError != nil {
			t.Errorf("status still says %v", st.LastError)
		}
		w.sts.fail(down)
		w.must(0)
		time.Sleep(55 * time.Minute) // past its half-life by jitter: the first failure is at most a minute old
		w.sts.newCalls()
		time.Sleep(20 * time.Minute)
		if n := w.sts.newCalls(); n < 3*6 {
			t.Errorf("%d calls in 20 minutes: the rests did not begin at 5 s again", n)
		}
	})
}

func TestTheLogTellsOnceThatAnOldCredentialIsServed(t *testing.T) {
	inWorld(t, 2*time.Hour, func(t *testing.T, w *world) {
		var log bytes.Buffer
		w.broker.log = slog.New(slog.NewTextHandler(&log, nil))
		for range 2 {
			w.must(0)
			time.Sleep(106 * time.Minute)
			w.sts.fail(down)
			for range 100 {
				w.must(0)
			}
			w.sts.fail(nil)
			time.Sleep(time.Minute)
		}
		if n := strings.Count(log.String(), "serving the old credential"); n != 2 {
			t.Errorf("told %d times of 2 credentials", n)
		}
	})
}

func TestTheKeystoresFailuresAreNoCallsOfSTS(t *testing.T) {
	inWorld(t, 2*time.Hour, func(t *testing.T, w *world) {
		w.must(0)
		time.Sleep(3 * time.Hour)
		w.sts.change(func(f *fakeSTS) { f.keyErr = locked })
		for range 5 {
			w.mustFail(api.KeystoreLocked)
		}
		if n := w.broker.Calls(); n != 1 {
			t.Errorf("%d calls are counted", n)
		}
	})
}

// What failed before the night is no answer in the morning.
func TestAFailureIsNotHeldThroughSleep(t *testing.T) {
	inWorld(t, 2*time.Hour, func(t *testing.T, w *world) {
		w.sts.fail(denied)
		w.mustFail(denied.Code)
		w.sts.fail(nil)
		w.sleep(8 * time.Hour)
		w.must(0)
	})
}

// A reading of the monotonic clock in it would win each comparison, and stand still in sleep.
func TestTheWallClockIsTheWallsAlone(t *testing.T) {
	now := NewBroker(Options{Rate: testRate}).now()
	if now != now.Round(0) {
		t.Errorf("%v has a monotonic reading", now)
	}
}

func TestARefreshSharesNoRenewalThatTheDiskWouldDoFor(t *testing.T) {
	inWorld(t, 2*time.Hour, func(t *testing.T, w *world) {
		w.sts.change(func(f *fakeSTS) { f.latency = 3 * time.Second })
		go w.broker.Credential(context.Background(), "p", 0) // it only leads
		time.Sleep(time.Second)
		if _, err := w.broker.Refresh(t.Context(), "p"); err != nil {
			t.Fatal(err)
		}
		w.wantCalls(2)
	})
}

func TestAChangedConfigEndsTheRestAfterAFailure(t *testing.T) {
	inWorld(t, 2*time.Hour, func(t *testing.T, w *world) {
		w.refresh()
		w.must(0)
		w.must(0)
		w.sts.fail(down)
		time.Sleep(80 * time.Minute) // by now it rests 5 minutes each time
		w.sts.change(func(f *fakeSTS) { f.err = nil; f.revision++ })
		w.sts.newCalls()
		time.Sleep(times.Look + time.Second)
		w.wantCalls(1)
	})
}

func TestTriesWaitLongerEachTimeAndNeverInStep(t *testing.T) {
	inWorld(t, 2*time.Hour, func(t *testing.T, w *world) {
		w.sts.change(func(f *fakeSTS) { f.err, f.latency = down, 0 })
		seen := make(map[time.Duration]bool)
		for range 10 {
			w.mustFail(down.Code)
			at := w.sts.times()
			if len(at) != 3 {
				t.Fatalf("%d tries", len(at))
			}
			first, second := at[1].Sub(at[0]), at[2].Sub(at[1])
			if first < 150*time.Millisecond || first > 300*time.Millisecond || second < 300*time.Millisecond || second > 600*time.Millisecond {
				t.Errorf("waited %s, then %s", first, second)
			}
			seen[first] = true
			time.Sleep(3 * time.Second)
		}
		if len(seen) < 5 {
			t.Errorf("only %d different waits", len(seen))
		}
	})
}

// Another process emptied the cache directory and renewed: what it left there does for this one too.
func TestAnEmptiedCacheDirectoryCostsNoCallOfSTS(t *testing.T) {
	inWorld(t, 2*time.Hour, func(t *testing.T, w *world) {
		w.must(0)
		if _, err := cache.Open(w.dir, slog.New(slog.DiscardHandler)).DeleteAll(t.Context()); err != nil {
			t.Fatal(err)
		}
		time.Sleep(61 * time.Minute)
		if _, err := w.another().Credential(t.Context(), "p", 90*time.Minute); err != nil {
			t.Fatal(err)
		}
		w.sts.newCalls()
		w.must(90 * time.Minute)
		w.wantCalls(0)
	})
}
