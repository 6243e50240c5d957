package daemon

import (
	"sync"
	"time"
)

// relock is the one timer that ends an unlock given for a time. The zero relock is ready.
type relock struct {
	mu    sync.Mutex
	timer *time.Timer
}

// after calls f once d is over by either clock, in place of what was set before; 0 is never. Time that the machine
// sleeps counts, so the wall clock is looked at now and then.
func (r *relock) after(d time.Duration, now func() time.Time, f func()) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.stop()
	if d <= 0 {
		return
	}
	began, end := time.Now(), now().Round(0).Add(d)
	var timer *time.Timer
	timer = time.AfterFunc(min(d, times.Look), func() {
		r.mu.Lock()
		left := min(end.Sub(now()), d-time.Since(began))
		over := left <= 0 && r.timer == timer
		if r.timer == timer && !over {
			timer.Reset(min(left, times.Look))
		}
		r.mu.Unlock()
		if over {
			f()
		}
	})
	r.timer = timer
}

func (r *relock) cancel() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.stop()
}

func (r *relock) stop() {
	if r.timer != nil {
		r.timer.Stop()
		r.timer = nil // one that fires just now sees that it was called off
	}
}
