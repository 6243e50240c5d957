package broker

import (
	"context"
	"time"

	"golang.org/x/time/rate"

	"github.com/tcred/tcred/api"
)

// identityRate is how many identities a second are asked for at most: STS allows 20.
const identityRate = 10

// pace keeps calls of one kind under a rate, and slows all profiles down together once STS throttles one.
type pace struct {
	most    rate.Limit
	limiter *rate.Limiter
	turn    chan struct{} // one waits at the limiter, the others for their turn there: a new rate holds for them too
	meter   *meter
}

func newPace(perSecond int, m *meter) *pace {
	return &pace{most: rate.Limit(perSecond), limiter: rate.NewLimiter(rate.Limit(perSecond), perSecond), turn: make(chan struct{}, 1), meter: m}
}

// call makes a call of STS once it may go out.
func call[T any](ctx context.Context, p *pace, f func() (T, error)) (T, error) {
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
func (p *pace) wait(ctx context.Context) error {
	began := time.Now()
	if deadline, ok := ctx.Deadline(); ok { // a call that went out too late would be given up on, and be for nothing
		var cancel context.CancelFunc
		ctx, cancel = context.WithDeadline(ctx, deadline.Add(-times.Call))
		defer cancel()
	}
	if err := p.queue(ctx); err != nil {
		return &api.Error{Code: api.STSThrottled, Message: "too many calls to tencent cloud are waiting", Hint: "try again in a moment", Cause: err}
	}
	if d := time.Since(began); d > time.Millisecond {
		p.meter.took(d, waitTime, waitCount)
	}
	return nil
}

// queue lets one at a time to the limiter: whoever waits there already is held to the rate of when they came.
func (p *pace) queue(ctx context.Context) error {
	select {
	case p.turn <- struct{}{}:
		defer func() { <-p.turn }()
		return p.limiter.Wait(ctx)
	case <-ctx.Done():
		return ctx.Err()
	}
}

// note halves the rate after throttling, and raises it again by one a second with each success.
func (p *pace) note(err error) {
	switch {
	case api.CodeOf(err) == api.STSThrottled:
		p.set(max(p.limiter.Limit()/2, 1))
	case err == nil && p.limiter.Limit() < p.most:
		p.set(min(p.limiter.Limit()+1, p.most))
	}
}

// set is the rate, and with it how many calls may go out at once.
func (p *pace) set(limit rate.Limit) {
	p.limiter.SetLimit(limit)
	p.limiter.SetBurst(int(limit))
}
