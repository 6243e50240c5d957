package broker

import (
	"context"
	"time"

	"github.com/tcred/tcred/api"
	"github.com/tcred/tcred/cache"
)

// RunRefresher renews ahead what is in use, and sweeps the disk, until ctx ends. It is the only scheduler: while
// nothing is in use it sleeps until something is, and while something is it looks at the wall clock at least
// every times.Look, because one long timer does not fire after a nap.
func (b *Broker) RunRefresher(ctx context.Context) {
	var swept time.Time
	for {
		if swept.IsZero() || time.Since(swept) >= times.Sweep {
			b.store.Sweep(b.now())
			swept = time.Now()
		}
		if !b.rest(ctx, b.renewDue(ctx)) {
			return
		}
	}
}

// Alive reports whether the refresher comes round before ctx ends. One that hangs in what it looks at does not.
func (b *Broker) Alive(ctx context.Context) bool {
	select {
	case b.beat <- struct{}{}:
		return true
	case <-ctx.Done():
		return false
	}
}

// rest waits for next, for a use, or for ctx to end, and reports whether to go on. Less than zero is no alarm.
func (b *Broker) rest(ctx context.Context, next time.Duration) bool {
	var alarm <-chan time.Time
	if next >= 0 {
		timer := time.NewTimer(min(next, times.Look))
		defer timer.Stop()
		alarm = timer.C
	}
	select {
	case <-alarm:
	case <-b.wake:
	case <-b.beat:
	case <-ctx.Done():
		return false
	}
	return true
}

// renewDue starts the renewals that are due and returns how long until the next one, less than zero if none is known
// of.
func (b *Broker) renewDue(ctx context.Context) (next time.Duration) {
	next = -1
	for _, s := range b.inUse() {
		p, err := b.profiles.Lookup(ctx, s.profile)
		if api.CodeOf(err) == api.NoProfile || err == nil && cache.KeyOf(p.Source.ID()) != s.key {
			b.drop(s) // config went on without it
			continue
		}
		if err != nil {
			next = shorter(next, times.Look)
			continue
		}
		l, due := s.due(p.Revision, b.now)
		if due <= 0 {
			b.flight(s, p, l.ahead(b.now()))
			due = times.RestFirst
		}
		next = shorter(next, due)
	}
	return next
}

// shorter is the earlier of two alarms, where less than zero is none.
func shorter(a, b time.Duration) time.Duration {
	if a < 0 {
		return b
	}
	return min(a, b)
}

// inUse lists the slots that somebody used since their last renewal.
func (b *Broker) inUse() []*slot {
	b.mu.Lock()
	defer b.mu.Unlock()
	var used []*slot
	for _, s := range b.slots {
		if s.inUse() {
			used = append(used, s)
		}
	}
	return used
}

func (b *Broker) drop(s *slot) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.slots[s.key] == s {
		delete(b.slots, s.key)
	}
}
