package daemon

import (
	"context"
	"sync/atomic"

	"golang.org/x/time/rate"

	"github.com/tcred/tcred/api"
)

// ceiling is how many calls a second this daemon makes at most: a thirtieth of what STS allows an account.
const ceiling = 20

// pace slows all profiles down together once STS throttles one, and counts the calls.
type pace struct {
	limiter *rate.Limiter
	calls   atomic.Int64
}

func newPace() *pace { return &pace{limiter: rate.NewLimiter(ceiling, ceiling)} }

// wait blocks until the next call may go out.
func (p *pace) wait(ctx context.Context) error {
	if err := p.limiter.Wait(ctx); err != nil {
		return &api.Error{Code: api.STSThrottled, Message: "too many calls to tencent cloud are waiting", Hint: "try again in a moment", Cause: err}
	}
	p.calls.Add(1)
	return nil
}

// note halves the rate after throttling, and raises it again by one a second with each success.
func (p *pace) note(err error) {
	switch {
	case api.CodeOf(err) == api.STSThrottled:
		p.set(max(p.limiter.Limit()/2, 1))
	case err == nil:
		p.set(min(p.limiter.Limit()+1, ceiling))
	}
}

// set is the rate, and with it how many calls may go out at once.
func (p *pace) set(limit rate.Limit) {
	p.limiter.SetLimit(limit)
	p.limiter.SetBurst(int(limit))
}
