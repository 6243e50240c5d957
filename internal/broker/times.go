package broker

import (
	"math/rand/v2"
	"time"
)

// schedule is every constant of time of the broker and the refresher.
type schedule struct {
	Floor         time.Duration // with less left a caller waits for a new credential
	Ahead         time.Duration // before expiry, a renewal is due at the latest
	Look          time.Duration // the refresher looks at the wall clock at least so often while something is due
	Jitter        float64       // of the half-life, by which renewals come early
	Patience      time.Duration // of a caller who waits for a new credential while the old one is good
	Lock          time.Duration // for an entry's lock
	Prepare       time.Duration // for the keystore and then an entry's lock: it is not waited for beyond that
	LockTry       time.Duration // for an entry's lock where the keystore left nothing
	Issue         time.Duration // for the source, retries included
	Flight        time.Duration // for one renewal in all
	Identify      time.Duration // for GetCallerIdentity
	Call          time.Duration // of a budget that must be left when a call goes out
	Tries         int           // calls of the source in one renewal
	Retry         time.Duration // before the second try, doubled for each further one
	HoldTransient time.Duration // how long a transient failure answers in place of another try
	HoldPermanent time.Duration // and a permanent one
	RestFirst     time.Duration // before a background renewal that failed is tried again, doubled each time,
	RestNone      time.Duration // up to this with no valid credential,
	RestValid     time.Duration // up to this with one
	Sweep         time.Duration // between two sweeps of the disk cache
}

var times = schedule{
	Floor:         15 * time.Minute,
	Ahead:         20 * time.Minute,
	Look:          30 * time.Second,
	Jitter:        0.10,
	Patience:      5 * time.Second,
	Lock:          4 * time.Second,
	Prepare:       5 * time.Second, // a caller waits 9 s: what is left is enough for a call
	LockTry:       20 * time.Millisecond,
	Issue:         15 * time.Second, // STS 10 s, and another try
	Flight:        30 * time.Second,
	Identify:      8 * time.Second,
	Call:          5 * time.Second,
	Tries:         3,
	Retry:         300 * time.Millisecond,
	HoldTransient: 2 * time.Second,
	HoldPermanent: 10 * time.Second,
	RestFirst:     5 * time.Second,
	RestNone:      20 * time.Second,
	RestValid:     5 * time.Minute,
	Sweep:         time.Hour,
}

// renewalAge is the age at which l is due: its half-life, early by jitter so that profiles of one start do not
// stay in step, at the latest times.Ahead before expiry, yet never so early that a short life is all renewals.
func renewalAge(l lease) time.Duration {
	half := l.half()
	age := half - time.Duration(rand.Float64()*times.Jitter*float64(half))
	return max(min(age, l.cred.Duration()-times.Ahead), half/2)
}

// jitter is between half of d and d.
func jitter(d time.Duration) time.Duration {
	return d/2 + rand.N(d/2+1)
}
