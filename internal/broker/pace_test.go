package broker

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tcred/tcred/internal/broker/brokertest"
	"github.com/tcred/tcred/internal/clock"
)

// burst is how long n calls in a row wait for their turn.
func (p *pace) burst(t *testing.T, n int) time.Duration {
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
		p := newPace(brokertest.Rate, newMeter())
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
		p := newPace(brokertest.Rate, newMeter())
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
		p := newPace(1, newMeter())
		p.burst(t, 1)
		ctx, cancel := context.WithTimeout(t.Context(), times.Call+500*time.Millisecond)
		defer cancel()
		if err := p.wait(ctx); err == nil {
			t.Errorf("a call goes out, its turn coming after 1 s, with %v left", times.Call-500*time.Millisecond)
		}
	})
}
