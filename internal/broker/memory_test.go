package broker

import (
	"bytes"
	"context"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/tcred/tcred/api"
	"github.com/tcred/tcred/internal/broker/brokertest"
)

func TestClearingAllReachesWhatConfigNoLongerNames(t *testing.T) {
	inWorld(t, 2*time.Hour, func(t *testing.T, w *world) {
		w.Must(0)
		w.STS.Change(func(f *brokertest.STS) { f.NoName = true })
		cleared, err := w.broker.Clear(t.Context(), "")
		if err != nil || len(cleared.Credentials) != 1 || cleared.Credentials[0].Profile != "p" {
			t.Errorf("got %+v, %v", cleared, err)
		}
		w.STS.Change(func(f *brokertest.STS) { f.NoName = false })
		w.Must(0)
		w.WantCalls(2)
	})
}

func TestARemovedProfileLeavesMemory(t *testing.T) {
	inWorld(t, 2*time.Hour, func(t *testing.T, w *world) {
		w.refresh()
		w.Must(0)
		time.Sleep(time.Minute)
		w.Must(0)
		w.STS.Change(func(f *brokertest.STS) { f.NoName = true })
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
		w.Must(0)
		w.STS.Fail(brokertest.Down)
		for range 15 {
			time.Sleep(7 * time.Minute)
			w.Must(0)
		}
		w.STS.Fail(nil)
		if _, err := w.another().Credential(t.Context(), "p", time.Hour); err != nil {
			t.Fatal(err)
		}
		time.Sleep(3 * time.Second)
		w.Must(time.Hour)
		if st := w.broker.Status(t.Context())[0]; st.LastError != nil {
			t.Errorf("status still says %v", st.LastError)
		}
		w.STS.Fail(brokertest.Down)
		w.Must(0)
		time.Sleep(55 * time.Minute) // past its half-life by jitter: the first failure is at most a minute old
		w.STS.NewCalls()
		time.Sleep(20 * time.Minute)
		if n := w.STS.NewCalls(); n < 3*6 {
			t.Errorf("%d calls in 20 minutes: the rests did not begin at 5 s again", n)
		}
	})
}

func TestTheLogTellsOnceThatAnOldCredentialIsServed(t *testing.T) {
	inWorld(t, 2*time.Hour, func(t *testing.T, w *world) {
		var log bytes.Buffer
		w.broker.log = slog.New(slog.NewTextHandler(&log, nil))
		for range 2 {
			w.Must(0)
			time.Sleep(106 * time.Minute)
			w.STS.Fail(brokertest.Down)
			for range 100 {
				w.Must(0)
			}
			w.STS.Fail(nil)
			time.Sleep(time.Minute)
		}
		if n := strings.Count(log.String(), "serving the old credential"); n != 2 {
			t.Errorf("told %d times of 2 credentials", n)
		}
	})
}

func TestTheKeystoresFailuresAreNoCallsOfSTS(t *testing.T) {
	inWorld(t, 2*time.Hour, func(t *testing.T, w *world) {
		w.Must(0)
		time.Sleep(3 * time.Hour)
		w.STS.Change(func(f *brokertest.STS) { f.KeyErr = brokertest.Locked })
		for range 5 {
			w.MustFail(api.KeystoreLocked)
		}
		if n := w.broker.Calls(); n != 1 {
			t.Errorf("%d calls are counted", n)
		}
	})
}

// What failed before the night is no answer in the morning.
func TestAFailureIsNotHeldThroughSleep(t *testing.T) {
	inWorld(t, 2*time.Hour, func(t *testing.T, w *world) {
		w.STS.Fail(brokertest.Denied)
		w.MustFail(brokertest.Denied.Code)
		w.STS.Fail(nil)
		w.Sleep(8 * time.Hour)
		w.Must(0)
	})
}

// A reading of the monotonic clock in it would win each comparison, and stand still in sleep.
func TestTheWallClockIsTheWallsAlone(t *testing.T) {
	now := New(Options{Rate: brokertest.Rate}).now()
	if now != now.Round(0) {
		t.Errorf("%v has a monotonic reading", now)
	}
}

func TestARefreshSharesNoRenewalThatTheDiskWouldDoFor(t *testing.T) {
	inWorld(t, 2*time.Hour, func(t *testing.T, w *world) {
		w.STS.Change(func(f *brokertest.STS) { f.Latency = 3 * time.Second })
		go w.broker.Credential(context.Background(), "p", 0) // it only leads
		time.Sleep(time.Second)
		if _, err := w.broker.Refresh(t.Context(), "p"); err != nil {
			t.Fatal(err)
		}
		w.WantCalls(2)
	})
}

func TestAChangedConfigEndsTheRestAfterAFailure(t *testing.T) {
	inWorld(t, 2*time.Hour, func(t *testing.T, w *world) {
		w.refresh()
		w.Must(0)
		w.Must(0)
		w.STS.Fail(brokertest.Down)
		time.Sleep(80 * time.Minute) // by now it rests 5 minutes each time
		w.STS.Change(func(f *brokertest.STS) { f.Err = nil; f.Revision++ })
		w.STS.NewCalls()
		time.Sleep(times.Look + time.Second)
		w.WantCalls(1)
	})
}

func TestTriesWaitLongerEachTimeAndNeverInStep(t *testing.T) {
	inWorld(t, 2*time.Hour, func(t *testing.T, w *world) {
		w.STS.Change(func(f *brokertest.STS) { f.Err, f.Latency = brokertest.Down, 0 })
		seen := make(map[time.Duration]bool)
		for range 10 {
			w.MustFail(brokertest.Down.Code)
			at := w.STS.Times()
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
