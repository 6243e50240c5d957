package broker

import "sync"

// fault is a state of something that each renewal uses: it works, or it fails and why. The log hears of a change only.
// The zero fault works.
type fault struct {
	mu   sync.Mutex
	last string // the error's text; "" while it works
}

// text is what is wrong now, "" while it works.
func (f *fault) text() string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.last
}

// note takes the outcome of one use, and calls tell with an err that is new.
func (f *fault) note(err error, tell func(error)) {
	text := ""
	if err != nil {
		text = err.Error()
	}
	f.mu.Lock()
	told := f.last == text
	f.last = text
	f.mu.Unlock()
	if err != nil && !told {
		tell(err)
	}
}
