package daemon

import (
	"testing"
	"testing/synctest"
	"time"
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
		p := newPace(DefaultRate, newMeter())
		if took := p.burst(t, 40); took < 900*time.Millisecond || took > 1100*time.Millisecond {
			t.Errorf("40 calls at 20 a second took %v", took)
		}
		time.Sleep(time.Minute)
		for range 10 {
			p.note(slowly)
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
