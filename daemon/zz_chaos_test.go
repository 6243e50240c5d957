package daemon

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/tcred/tcred/api"
)

func TestChaos(t *testing.T) {
	for seed := range uint64(400) {
		inWorld(t, []time.Duration{30*time.Minute, 2*time.Hour}[seed%2], func(t *testing.T, w *world) {
			r := rand.New(rand.NewPCG(seed, 1))
			w.refresh()
			var log []string
			isDown := false
			back := false
			var best time.Time
			for range 300 {
				ev := ""
				switch r.IntN(14) {
				case 0: w.sts.fail(down); isDown = true; ev = "down"
				case 1,2: w.sts.fail(nil); isDown = false; ev = "up"
				case 3: d := time.Duration(r.Int64N(int64(3*time.Hour))); w.sleep(d); if back { w.broker.Lock(); w.broker.Clear(t.Context(), "p") }; back=false; best = time.Time{}; ev = "sleep " + d.String()
				case 4: d := time.Duration(r.Int64N(int64(2*time.Hour))); w.step(d); best = time.Time{}; ev = "fwd " + d.String()
				case 5: if seed%4 < 2 { d := time.Duration(r.Int64N(int64(2*time.Hour))); w.step(-d); back = true; best = time.Time{}; ev = "back " + d.String() }
				case 6: if !back { w.restartKeep(); ev = "lock" }
				case 7: w.sts.change(func(f *fakeSTS) { f.latency = time.Duration(r.Int64N(int64(12*time.Second))) }); ev="latency"
				default: d := time.Duration(r.Int64N(int64(20*time.Minute))); time.Sleep(d); ev = "wait " + d.String()
				}
				if ev == "" { continue }
				log = append(log, ev)
				start := time.Now()
				c, err := w.get(0)
				if time.Since(start) > 9*time.Second { t.Errorf("waited %v", time.Since(start)) }
				if err == nil { if e := w.sts.end(c); e.After(best) { best = e } } else {
					_ = isDown
					if best.After(w.truth().Add(time.Minute+10*time.Second)) { t.Errorf("failed with a valid one: %v", err) }
					if api.CodeOf(err) == api.Internal { t.Errorf("%v", err) }
				}
				if t.Failed() { t.Fatalf("seed %d: %v", seed, log) }
			}
		})
	}
}

func (w *world) restartKeep() { w.broker.Lock() }
