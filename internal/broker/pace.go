package broker

import (
	"context"
	"sync"
	"time"

	"github.com/tcred/tcred/api"
	"github.com/tcred/tcred/internal/clock"
)

// identityRate is how many identities a second are asked for at most: STS allows 20.
const identityRate = 10

// span is how long a call counts: a second, and some more for calls that overtake each other on the way.
const span = 1050 * time.Millisecond

// window lets a number of calls go out in any span, never one more. One caller at a time waits for the next place, the
// others wait for their turn to.
type window struct {
	turn chan struct{}

	mu    sync.Mutex
	most  int         // calls in a span
	limit int         // the same, while STS throttles
	sent  []time.Time // of the calls that still count, the oldest first
}

func newWindow(perSecond int) *window {
	return &window{turn: make(chan struct{}, 1), most: perSecond, limit: perSecond}
}

// wait takes the next place in the window, or gives up when ctx ends, or would end before there is one.
func (w *window) wait(ctx context.Context) error {
	select {
	case w.turn <- struct{}{}:
		defer func() { <-w.turn }()
	case <-ctx.Done():
		return ctx.Err()
	}
	for {
		left := w.take(time.Now())
		if left <= 0 {
			return nil
		}
		if deadline, ok := ctx.Deadline(); ok && time.Until(deadline) < left {
			return context.DeadlineExceeded
		}
		if !clock.Sleep(ctx, left) {
			return ctx.Err()
		}
	}
}

// take takes a place if one is free, else it says how long until one is.
func (w *window) take(now time.Time) time.Duration {
	w.mu.Lock()
	defer w.mu.Unlock()
	for len(w.sent) > 0 && now.Sub(w.sent[0]) >= span {
		w.sent = w.sent[1:]
	}
	if len(w.sent) < w.limit {
		w.sent = append(w.sent, now)
		return 0
	}
	return span - now.Sub(w.sent[len(w.sent)-w.limit])
}

// left is how long the last call still counts.
func (w *window) left(now time.Time) time.Duration {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.sent) == 0 {
		return 0
	}
	return span - now.Sub(w.sent[len(w.sent)-1])
}

// Settle waits until no call of STS counts any more, or ctx ends: then another process may go on without a word of
// them.
func (b *Broker) Settle(ctx context.Context) {
	for {
		left := b.issues.own.left(time.Now())
		if left <= 0 || !clock.Sleep(ctx, left) {
			return
		}
	}
}

// slower halves the limit, and faster raises it again by one.
func (w *window) slower() { w.change(func(limit int) int { return max(limit/2, 1) }) }

func (w *window) faster() { w.change(func(limit int) int { return min(limit+1, w.most) }) }

func (w *window) change(to func(limit int) int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.limit = to(w.limit)
}

// pace keeps calls of one kind under a rate of their own and under that of all calls together, and slows all profiles
// down together once STS throttles one.
type pace struct {
	own   *window
	all   *window // nil: own is that already
	meter *meter
}

// call makes a call of STS once it may go out.
func call[T any](ctx context.Context, p pace, f func() (T, error)) (T, error) {
	if err := p.wait(ctx); err != nil {
		var none T
		return none, err
	}
	began := time.Now()
	v, err := f()
	p.meter.took(time.Since(began), callTime, callCount)
	p.note(err)
	return v, err
}

// wait blocks until the next call may go out.
func (p pace) wait(ctx context.Context) error {
	began := time.Now()
	if deadline, ok := ctx.Deadline(); ok { // a call that went out too late would be given up on, and be for nothing
		var cancel context.CancelFunc
		ctx, cancel = context.WithDeadline(ctx, deadline.Add(-times.Call))
		defer cancel()
	}
	err := p.own.wait(ctx)
	if err == nil && p.all != nil {
		err = p.all.wait(ctx)
	}
	if err != nil {
		return &api.Error{
			Code: api.STSThrottled, Message: "too many calls to tencent cloud are waiting", Hint: "try again in a moment", Cause: err,
		}
	}
	if d := time.Since(began); d > time.Millisecond {
		p.meter.took(d, waitTime, waitCount)
	}
	return nil
}

// note goes slower after throttling, and a little faster with each success.
func (p pace) note(err error) {
	switch {
	case api.CodeOf(err) == api.STSThrottled:
		p.own.slower()
	case err == nil:
		p.own.faster()
	}
}
