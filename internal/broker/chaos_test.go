package broker

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/tcred/tcred/internal/broker/brokertest"
)

// TestWhateverHappens is hundreds of random events and a call after each: it ends within 9 s, what it gets is alive in
// truth, and it fails only where no credential was good by both clocks.
func TestWhateverHappens(t *testing.T) {
	for seed := range uint64(16) {
		inWorld(t, []time.Duration{30 * time.Minute, 2 * time.Hour}[seed%2], func(t *testing.T, w *world) {
			c := chaos{world: w, rand: rand.New(rand.NewPCG(seed, 0))}
			w.refresh()
			for range 300 {
				c.happens()
				c.ask()
				if t.Failed() {
					t.Fatalf("seed %d: %v", seed, c.story)
				}
			}
		})
	}
}

type chaos struct {
	*world
	rand        *rand.Rand
	story       []string
	good        time.Time // in truth: until then no call may fail
	slept, back bool      // in the life of a credential
}

func (c *chaos) upTo(d time.Duration) time.Duration { return time.Duration(c.rand.Int64N(int64(d))) }

func (c *chaos) happens() {
	var d time.Duration
	event := "wait"
	switch c.rand.IntN(13) {
	case 0:
		event = "STS down"
		c.STS.Fail(brokertest.Down)
	case 1, 2:
		event = "STS up"
		c.STS.Fail(nil)
	case 3:
		event, d = "slow", c.upTo(12*time.Second)
		c.STS.Change(func(f *brokertest.STS) { f.Latency = d })
	case 4:
		event, d = "sleep", c.upTo(3*time.Hour)
		c.slept = true
		c.Sleep(d)
	case 5:
		event, d = "clock on", c.upTo(2*time.Hour)
		c.Step(d)
	case 6:
		event, d = "clock back", c.upTo(2*time.Hour)
		c.back = true
		c.Step(-d)
	case 7:
		if !c.back { // on disk is only the wall clock's word for a credential's age
			event = "lock"
			c.broker.Lock()
		}
	default:
		d = c.upTo(20 * time.Minute)
		time.Sleep(d)
	}
	if event == "sleep" || event == "clock on" || event == "clock back" {
		c.good = time.Time{}
	}
	if c.slept && c.back { // then neither clock knows: out of what can be promised
		c.broker.Clear(c.T.Context(), "p") // the disk is well
		c.slept, c.back = false, false
	}
	c.story = append(c.story, fmt.Sprint(event, " ", d))
}

func (c *chaos) ask() {
	c.T.Helper()
	start := time.Now()
	got, err := c.Get(0)
	if waited := time.Since(start); waited > 9*time.Second {
		c.T.Errorf("waited %v", waited)
	}
	if err != nil {
		if c.good.After(c.Truth()) {
			c.T.Errorf("failed with a credential good until %v: %v", c.good, err)
		}
		return
	}
	good := c.Truth().Add(got.Expires.Sub(c.Wall()))
	if end := c.STS.End(got).Add(-time.Minute - 15*time.Second); end.Before(good) {
		good = end // by the monotonic clock, counted from the answer
	}
	if good.After(c.good) {
		c.good = good
	}
}
