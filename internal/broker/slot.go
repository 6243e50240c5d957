package broker

import (
	"fmt"
	"sync"
	"time"

	"github.com/tcred/tcred/api"
	"github.com/tcred/tcred/cache"
	"github.com/tcred/tcred/credential"
	"github.com/tcred/tcred/internal/human"
)

// slot is the place of one cache key's credential in memory, with what is known around it.
type slot struct {
	key     cache.Key
	profile string // the first one that asked; profiles that are alike share a slot

	mu         sync.Mutex
	lease      lease
	renewAt    time.Duration // the age at which the lease is due
	used       bool          // since the last renewal: only then is it renewed ahead
	lastUse    time.Time     // wall
	lastIssue  time.Time     // wall
	failure    failure
	told       string // SecretID of the old credential that the log says is served
	identity   api.Identity
	identityOf string // SecretID of the credential that identity belongs to
}

// failure is the last one of a slot, while no success came after it. The zero failure is none.
type failure struct {
	err      *api.Error
	at       time.Time // carries the monotonic reading
	wall     time.Time
	revision uint64 // of config, then
	count    int    // in a row
}

// hold is how long f answers for the source. The keystore's failures are never held: once cured, the next call works.
func (f failure) hold() time.Duration {
	switch {
	case f.keystore():
		return 0
	case f.permanent():
		return times.HoldPermanent
	}
	return times.HoldTransient
}

// age is how long ago f was, by whichever clock says more: one stands still in sleep, the other can be set back.
func (f failure) age(wall time.Time) time.Duration { return max(time.Since(f.at), wall.Sub(f.wall)) }

// rest is how long renewals that nobody waits for rest after f: from 5 s, doubled with each failure in a row.
func (f failure) rest(most time.Duration) time.Duration {
	if !f.transient() {
		return times.RestValid
	}
	return min(most, times.RestFirst<<min(f.count-1, 10))
}

func (f failure) transient() bool { return transient(f.err) || f.err.Code == api.Timeout }

func (f failure) permanent() bool {
	switch f.err.Code {
	case api.STSCredential, api.STSPermission, api.STSRequest, api.PolicyInvalid:
		return true
	}
	return false
}

func (f failure) keystore() bool { return ofKeystore(f.err) }

// ofKeystore reports a failure that came before any call of STS.
func ofKeystore(err error) bool {
	switch api.CodeOf(err) {
	case api.NoKey, api.KeystoreLocked, api.KeystoreAbsent, api.KeystoreTimeout, api.KeystoreReadOnly,
		api.KeystoreFailed, api.WrongPassphrase:
		return true
	}
	return false
}

func (s *slot) current() lease {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.lease
}

// use notes a use and reports whether it is the first one since the last renewal.
func (s *slot) use(wall time.Time) (first bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	first = !s.used
	s.used, s.lastUse = true, wall
	return first
}

func (s *slot) inUse() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.used
}

// adopt takes l, read from disk, if it is the longer-lived one, and returns what to go by: of the credential that
// s holds already, its own lease, which knows the credential's age even after the wall clock stepped back.
func (s *slot) adopt(l lease, wall time.Time) lease {
	s.mu.Lock()
	defer s.mu.Unlock()
	if l.cred.SecretID == s.lease.cred.SecretID {
		return s.lease
	}
	if l.left(wall) > s.lease.left(wall) {
		s.lease, s.renewAt = l, renewalAge(l)
		s.failure = failure{} // another process had more luck
	}
	return l
}

// renewed takes l, just issued: from here on nobody has used it.
func (s *slot) renewed(l lease, wall time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.lease, s.renewAt = l, renewalAge(l)
	s.used, s.lastIssue, s.failure = false, wall, failure{}
}

// failed remembers a renewal that failed. One that cannot succeed by itself is not tried again until somebody asks.
func (s *slot) failed(err *api.Error, revision uint64, wall time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.failure = failure{err: err, at: time.Now(), wall: wall, revision: revision, count: s.failure.count + 1}
	if !s.failure.transient() && s.lease.left(wall) <= 0 {
		s.used = false
	}
}

// tellOld reports whether the log is still to say that l, an old credential, is served.
func (s *slot) tellOld(l lease) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	first := s.told != l.cred.SecretID
	s.told = l.cred.SecretID
	return first
}

func (s *slot) forget() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.failure = failure{}
}

// refusal is the remembered failure that answers a caller in place of another try, nil when it is time for one.
func (s *slot) refusal(p Profile, wall time.Time) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	f := s.failure
	if f.err == nil || f.revision != p.Revision || f.age(wall) >= f.hold() {
		return nil
	}
	if f.permanent() {
		return f.remembered(p.Name, wall)
	}
	return f.err
}

// remembered is f for somebody who did not see STS being asked: what they mended since may be right all the same.
func (f failure) remembered(profile string, wall time.Time) error {
	e := *f.err
	if e.Hint != "" {
		e.Hint += "; "
	}
	when := "just now"
	if age := f.age(wall).Truncate(time.Second); age > 0 {
		when = human.Span(age) + " ago"
	}
	e.Hint += fmt.Sprintf("asked %s: tcred refresh %s asks now", when, profile)
	return &e
}

// due is how long until the next renewal that nobody waits for: the lease's age and the last failure tell.
func (s *slot) due(revision uint64, clock func() time.Time) (lease, time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	wall := clock() // with the lease in hand: one issued after the look would seem to come from the future
	left, most := s.lease.left(wall), times.RestValid
	if left <= 0 {
		most = times.RestNone
	}
	due := left - (s.lease.cred.Duration() - s.renewAt)
	if s.lease.doubtful(wall) {
		due = 0
	}
	if f := s.failure; f.err != nil && f.revision == revision {
		due = max(due, f.rest(most)-f.age(wall))
	}
	return s.lease, due
}

func (s *slot) identityFor(c credential.Credential) (api.Identity, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.identity, s.identityOf == c.SecretID
}

func (s *slot) setIdentity(c credential.Credential, id api.Identity) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.identity, s.identityOf = id, c.SecretID
}

func (s *slot) status(name, key string) api.ProfileStatus {
	s.mu.Lock()
	defer s.mu.Unlock()
	return api.ProfileStatus{
		Name: name, Key: key, Expires: s.lease.cred.Expires, LastUse: s.lastUse, LastIssue: s.lastIssue,
		LastError: api.ProblemOf(s.failure.err),
	}
}
