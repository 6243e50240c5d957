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

// after calls f once d is over, in place of what was set before; 0 is never.
func (r *relock) after(d time.Duration, f func()) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.stop()
	if d > 0 {
		r.timer = time.AfterFunc(d, f)
	}
}

func (r *relock) cancel() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.stop()
}

func (r *relock) stop() {
	if r.timer != nil {
		r.timer.Stop()
	}
}
