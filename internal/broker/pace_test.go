package broker

import (
	"context"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tcred/tcred/internal/broker/brokertest"
	"github.com/tcred/tcred/internal/clock"
)

func newPace(perSecond int) pace { return pace{own: newWindow(perSecond), meter: newMeter()} }

// burst is how long n calls in a row wait for their turn.
func (p pace) burst(t *testing.T, n int) time.Duration {
	start := time.Now()
	for range n {
		if err := p.wait(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	return time.Since(start)
}

func TestThrottlingSlowsAllDownAndSuccessSpeedsThemUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPace(brokertest.Rate)
		if took := p.burst(t, 40); took < 900*time.Millisecond || took > 1100*time.Millisecond {
			t.Errorf("40 calls at 20 a second took %v", took)
		}
		time.Sleep(time.Minute)
		for range 10 {
			p.note(brokertest.Slowly)
		}
		if took := p.burst(t, 11); took < 9*time.Second || took > 11*time.Second {
			t.Errorf("throttled, 11 calls took %v", took)
		}
		for range 30 {
			p.note(nil)
		}
		time.Sleep(time.Minute)
		if took := p.burst(t, 20); took > 0 {
			t.Errorf("recovered, 20 calls took %v", took)
		}
	})
}

func TestThrottlingSilencesNoLongerThanItLasts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPace(brokertest.Rate)
		heals := time.Now().Add(12 * time.Second)
		sts := func() (int, error) {
			time.Sleep(100 * time.Millisecond)
			if time.Now().Before(heals) {
				return 0, brokertest.Slowly
			}
			return 1, nil
		}
		for range 250 { // renewals, each with its budget
			go func() {
				ctx, cancel := context.WithTimeout(t.Context(), times.Issue)
				defer cancel()
				for range times.Tries {
					if _, err := call(ctx, p, sts); err == nil || !clock.Sleep(ctx, times.Retry) {
						return
					}
				}
			}()
		}
		time.Sleep(12 * time.Second)
		for err := error(brokertest.Slowly); err != nil && time.Since(heals) < time.Hour; {
			ctx, cancel := context.WithTimeout(t.Context(), times.Issue)
			_, err = call(ctx, p, sts)
			cancel()
		}
		if d := time.Since(heals); d > 10*time.Second {
			t.Errorf("STS healed, and the first call got through %v later", d)
		}
		time.Sleep(time.Minute)
	})
}

func TestACallGoesOutOnlyWithTimeToBeAnswered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPace(1)
		p.burst(t, 1)
		ctx, cancel := context.WithTimeout(t.Context(), times.Call+500*time.Millisecond)
		defer cancel()
		if err := p.wait(ctx); err == nil {
			t.Errorf("a call goes out, its turn coming after 1 s, with %v left", times.Call-500*time.Millisecond)
		}
	})
}

// Promise 14: in no second, wherever it begins, are there more calls than sts_rate, of all kinds together.
func TestPromise14NoSecondHasMoreCallsThanTheRate(t *testing.T) {
	for _, perSecond := range []int{1, 20, 190} {
		synctest.Test(t, func(t *testing.T) {
			issues := newPace(perSecond)
			asks := pace{own: newWindow(identityRate), all: issues.own, meter: issues.meter}
			var mu sync.Mutex
			var sent []time.Time
			ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second+times.Call)
			defer cancel()
			for i := range perSecond + 20 {
				p := issues
				if i%3 == 0 {
					p = asks
				}
				go func() {
					for {
						if _, err := call(ctx, p, func() (int, error) { return 0, nil }); err != nil {
							return
						}
						mu.Lock()
						sent = append(sent, time.Now())
						mu.Unlock()
						clock.Sleep(ctx, time.Duration(i%7)*100*time.Millisecond)
					}
				}()
			}
			time.Sleep(10 * time.Second)
			mu.Lock()
			defer mu.Unlock()
			for i := perSecond; i < len(sent); i++ {
				if d := sent[i].Sub(sent[i-perSecond]); d < time.Second {
					t.Fatalf("%d a second: %d calls within %v", perSecond, perSecond+1, d)
				}
			}
			if least := perSecond * 4; len(sent) < least {
				t.Errorf("%d a second: only %d calls in 5 s", perSecond, len(sent))
			}
		})
	}
}

// A process that goes on after Settle, with an empty window, keeps the rate of both together.
func TestSettledNoCallCountsAnyMore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPace(brokertest.Rate)
		b := &Broker{issues: p}
		began := time.Now()
		b.Settle(t.Context())
		if took := time.Since(began); took != 0 {
			t.Errorf("waited %v for nothing", took)
		}
		p.burst(t, 5)
		began = time.Now()
		b.Settle(t.Context())
		if took := time.Since(began); took < time.Second || took > 1100*time.Millisecond {
			t.Errorf("settled after %v", took)
		}
	})
}
