package broker

import (
	"context"
	"fmt"
	"time"

	"golang.org/x/sync/singleflight"

	"github.com/tcred/tcred/api"
	"github.com/tcred/tcred/cache"
	"github.com/tcred/tcred/credential"
	"github.com/tcred/tcred/internal/clock"
)

// goal is what a renewal is to bring.
type goal struct {
	need   time.Duration // a credential on disk with this much left will do
	forced bool          // nothing on disk will do
}

// meets reports whether l will do without a new credential.
func (l lease) meets(g goal, wall time.Time) bool {
	return !g.forced && !l.doubtful(wall) && l.left(wall) >= max(g.need, 1)
}

// await is a lease with at least need left: from disk, or new. It is given up on after api.AnswerTimeout, and after
// times.Patience if by then the old one serves: tools allow their helper 10 s, and what comes later is a call that
// failed.
func (b *Broker) await(ctx context.Context, s *slot, p Profile, minTTL, need time.Duration) (lease, error) {
	patient, cancel := context.WithTimeout(ctx, api.AnswerTimeout)
	defer cancel()
	short, cancel := context.WithTimeout(patient, times.Patience)
	defer cancel()
	l, err := b.fetch(short, s, p, need)
	if err != nil && short.Err() != nil && !s.current().serves(minTTL, b.now()) {
		return b.fetch(patient, s, p, need)
	}
	return l, err
}

// fetch waits for a lease with at least need left, as long as ctx lasts. A failure that is still fresh answers at once.
func (b *Broker) fetch(ctx context.Context, s *slot, p Profile, need time.Duration) (lease, error) {
	if err := s.refusal(p, b.now()); err != nil {
		return lease{}, err
	}
	for {
		l, err := b.join(ctx, s, p, goal{need: need})
		if err != nil || l.layer == fromSource || l.left(b.now()) >= need {
			return l, err
		} // else the flight that was joined had less in mind
	}
}

// renewBehind starts a renewal that nobody waits for, unless the last one failed a moment ago.
func (b *Broker) renewBehind(s *slot, p Profile) {
	if l, due := s.due(p.Revision, b.now); due <= 0 {
		b.flight(s, p, l.ahead(b.now()))
	}
}

// join waits for the renewal of s, which goes on when the caller is gone.
func (b *Broker) join(ctx context.Context, s *slot, p Profile, g goal) (lease, error) {
	v, err := waitFor(ctx, b.flight(s, p, g), "new credential", fmt.Sprintf("profile %q", p.Name))
	if err != nil {
		return lease{}, err
	}
	return v.(lease), nil
}

// waitFor waits for the result of a flight, as long as ctx lasts, which has a deadline.
func waitFor(ctx context.Context, flight <-chan singleflight.Result, what, whose string) (any, error) {
	select {
	case r := <-flight:
		return r.Val, r.Err
	case <-ctx.Done():
		return nil, &api.Error{
			Code:    api.Timeout,
			Message: fmt.Sprintf("no %s for %s in time", what, whose),
			Hint:    "it is still being fetched: try again", Cause: ctx.Err(),
		}
	}
}

// flight renews s, or joins the renewal under way.
func (b *Broker) flight(s *slot, p Profile, g goal) <-chan singleflight.Result {
	return b.flights.DoChan(flightKey(s, g.forced), func() (any, error) {
		ctx, cancel := context.WithTimeout(context.Background(), times.Flight)
		defer cancel()
		l, err := Guard(b.log, func() (lease, error) { return b.renew(ctx, s, p, g) })
		if err != nil {
			e := api.AsError(err)
			s.failed(e, p.Revision, b.now())
			b.meter.count(sample(failures, "profile", p.Name, "code", string(e.Code)))
			b.log.Error("no new credential", "profile", p.Name, "key", p.Key, "code", e.Code, "request", e.RequestID, "err", e.Message)
		}
		return l, err
	})
}

// flightKey tells flights apart: a forced one shares nothing with one that is content with the disk, nor does a slot
// that was dropped with the one in its place, for which the disk was not looked at.
func flightKey(s *slot, forced bool) string { return fmt.Sprintf("%p %t", s, forced) }

// renew brings s to its goal: memory first, for a renewal may have ended since the caller looked; then the disk, for
// another process may have been here; then, with the entry's lock held, the disk again; then the source.
func (b *Broker) renew(ctx context.Context, s *slot, p Profile, g goal) (lease, error) {
	if l := s.current(); l.meets(g, b.now()) {
		l.layer = fromMemory
		return l, nil
	}
	began := time.Now()
	session, err := p.Source.Open(ctx)
	if err != nil {
		return lease{}, err
	}
	defer session.Close()
	sealer := session.Sealer()
	if l, ok := b.fromStore(ctx, s, sealer, g); ok {
		return l, nil
	}
	if sealer != nil {
		wait := min(times.Lock, times.Prepare-time.Since(began)) // a slow keystore leaves less
		defer b.lockEntry(ctx, s, wait)()
	}
	if l, ok := b.fromStore(ctx, s, sealer, g); ok {
		return l, nil
	}
	c, err := b.issue(ctx, p, session)
	if err != nil {
		return lease{}, err
	}
	wall := b.now()
	l := newLease(c, wall)
	if l.left(wall) <= 0 {
		return lease{}, &api.Error{
			Code: api.STSAnswer, RequestID: c.RequestID,
			Message: fmt.Sprintf("the new credential of profile %q is already expired; it was dropped", p.Name),
			Hint:    "is this machine's clock right? tcred doctor",
		}
	}
	b.keep(ctx, s, p, sealer, c)
	s.renewed(l, wall)
	b.meter.count(sample(renewals, "profile", p.Name))
	l.layer = fromSource
	b.log.Info("issued", "profile", p.Name, "key", p.Key, "expires", c.Expires.UTC(), "request", c.RequestID)
	return l, nil
}

// fromStore takes up what another process, or this one in an earlier life, stored, and reports whether it will do.
func (b *Broker) fromStore(ctx context.Context, s *slot, sealer *cache.Sealer, g goal) (lease, bool) {
	if sealer == nil {
		return lease{}, false
	}
	c, ok := b.store.Get(ctx, s.key, sealer)
	if !ok {
		return lease{}, false
	}
	wall := b.now()
	l := newLease(c, wall)
	if l.doubtful(wall) || l.left(wall) <= 0 {
		return lease{}, false
	}
	l = s.adopt(l, wall)
	l.layer = fromDisk
	return l, l.meets(g, wall)
}

// lockEntry takes the entry's lock across processes, and waits for it as long as that; it tries once at least. Without
// it the worst is a second call, so a lock that cannot be had costs a warning and not the credential.
func (b *Broker) lockEntry(ctx context.Context, s *slot, wait time.Duration) (unlock func()) {
	ctx, cancel := context.WithTimeout(ctx, max(wait, times.LockTry))
	defer cancel()
	unlock, err := b.store.Lock(ctx, s.key)
	b.lockFault.note(err, func(err error) {
		b.log.Warn("going on without the lock of the cache entry", "profile", s.profile, "err", err)
	})
	if err != nil {
		return func() {}
	}
	return unlock
}

// issue asks the source, again after a transient failure while the budget lasts.
func (b *Broker) issue(ctx context.Context, p Profile, session Session) (credential.Credential, error) {
	ctx, cancel := context.WithTimeout(ctx, times.Issue)
	defer cancel()
	for try := 0; ; try++ {
		c, err := call(ctx, b.issues, func() (credential.Credential, error) { return session.Issue(ctx) })
		if err == nil && !c.IsZero() {
			return c, nil
		}
		if err == nil {
			err = &api.Error{Code: api.STSAnswer, RequestID: c.RequestID, Message: fmt.Sprintf("the new credential of profile %q is not whole; it was dropped", p.Name)}
		}
		if try+1 >= times.Tries || !transient(err) || !waitToRetry(ctx, jitter(times.Retry<<try)) {
			return credential.Credential{}, err
		}
	}
}

// waitToRetry waits for d, and reports whether there is time for another call then.
func waitToRetry(ctx context.Context, d time.Duration) bool {
	if deadline, ok := ctx.Deadline(); ok && time.Until(deadline) < d+times.Call {
		return false
	}
	return clock.Sleep(ctx, d)
}

// transient reports a failure of the source that another try may mend at once.
func transient(err error) bool {
	switch api.CodeOf(err) {
	case api.Unreachable, api.STSTransient, api.STSThrottled, api.STSAnswer:
		return true
	}
	return false
}

// keep stores c. A failure is a warning: the credential is good all the same.
func (b *Broker) keep(ctx context.Context, s *slot, p Profile, sealer *cache.Sealer, c credential.Credential) {
	if sealer == nil {
		return
	}
	b.storeFault.note(b.store.Put(ctx, s.key, sealer, c), func(err error) {
		b.log.Warn("the store takes nothing: credentials are in memory only", "profile", p.Name, "err", err)
	})
}
