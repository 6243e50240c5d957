package daemon

import (
	"sync"
	"time"
)

// lookEvery is how often the wall clock is looked at while a time runs: one long timer does not fire after a nap.
const lookEvery = 30 * time.Second

// relock is the one timer that ends an unlock given for a time. The zero relock is ready.
type relock struct {
	mu    sync.Mutex
	timer *time.Timer          // nil if none runs
	left  func() time.Duration // until timer's end, while one runs
}

// after calls f once d is over by either clock, in place of what was set before; 0 is never. Time that the machine
// sleeps counts, so the wall clock is looked at now and then.
func (r *relock) after(d time.Duration, now func() time.Time, f func()) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.set(d, now, f)
}

// within is after, but what was set before stays if it ends sooner.
func (r *relock) within(d time.Duration, now func() time.Time, f func()) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.timer == nil || d > 0 && d < r.left() {
		r.set(d, now, f)
	}
}

func (r *relock) set(d time.Duration, now func() time.Time, f func()) {
	r.stop()
	if d <= 0 {
		return
	}
	began, end := time.Now(), now().Add(d)
	r.left = func() time.Duration { return min(end.Sub(now()), d-time.Since(began)) }
	var timer *time.Timer
	timer = time.AfterFunc(min(d, lookEvery), func() {
		r.mu.Lock()
		over := r.timer == timer && r.over()
		r.mu.Unlock()
		if over {
			f()
		}
	})
	r.timer = timer
}

// over reports whether the time is over, now that the timer fired. If not, it looks again later.
func (r *relock) over() bool {
	if left := r.left(); left > 0 {
		r.timer.Reset(min(left, lookEvery))
		return false
	}
	r.stop()
	return true
}

// until is when the time that was set is over, by the wall clock; the zero time if none runs.
func (r *relock) until(now func() time.Time) time.Time {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.timer == nil {
		return time.Time{}
	}
	return now().Add(r.left())
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
