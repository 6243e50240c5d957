package broker

import (
	"time"

	"github.com/tcred/tcred/credential"
)

// lease is a credential in memory with what both clocks say of it. The monotonic clock stands still while
// the machine sleeps and the wall clock steps, so neither is trusted alone. The zero lease is expired.
type lease struct {
	cred  credential.Credential
	since time.Time     // carries the monotonic reading of when life was left
	life  time.Duration // what was left at since
	layer string        // where a renewal had it from
}

// newLease starts the clocks of a credential that was just issued, or read from disk. Its times are the wall
// clock's alone: a monotonic reading in them would win each comparison, and it stands still in sleep.
func newLease(c credential.Credential, wall time.Time) lease {
	c.Issued, c.Expires = c.Issued.Round(0), c.Expires.Round(0)
	return lease{cred: c, since: time.Now(), life: min(c.Expires.Sub(wall), c.Duration())}
}

// left is how much longer the credential is good for, zero or less when it must not be served.
func (l lease) left(wall time.Time) time.Duration {
	if l.cred.IsZero() {
		return 0
	}
	return min(l.cred.Expires.Sub(wall), l.life-time.Since(l.since))
}

// serves reports whether l is good for minTTL, or at all where that is zero.
func (l lease) serves(minTTL time.Duration, wall time.Time) bool {
	return l.left(wall) >= max(minTTL, 1)
}

// doubtful reports a wall clock before the issue: it stepped, and what is left can no longer be told.
func (l lease) doubtful(wall time.Time) bool { return wall.Before(l.cred.Issued) }

// half is half the credential's whole life: below it, it is time for a new one.
func (l lease) half() time.Duration { return l.cred.Duration() / 2 }

// ahead is the goal of a renewal that comes while l is still good: a credential that outlives it, and has half its
// life left.
func (l lease) ahead(wall time.Time) goal {
	return goal{need: max(l.half(), l.left(wall)+time.Second)}
}
