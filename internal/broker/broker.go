// Package broker is the whole algorithm: memory, then the store, then one new credential from the source, for everyone
// who waits. Its refresher keeps what is in use fresh.
//
// It knows no socket, no config and no STS: it asks a [Source] for credentials, keeps them in a [Store], and finds
// sources by the name of their profile in [Profiles].
package broker

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"sync"
	"time"

	"golang.org/x/sync/singleflight"

	"github.com/tcred/tcred/api"
	"github.com/tcred/tcred/cache"
	"github.com/tcred/tcred/credential"
	"github.com/tcred/tcred/internal/human"
)

// Source issues the credentials of one profile.
type Source interface {
	// ID spells out everything that a credential depends on, with no secret in it. It enters the cache key.
	ID() string
	// Open reads the permanent key, once, for one renewal. Errors are the keystore's.
	Open(ctx context.Context) (Session, error)
	// Identify says who Tencent Cloud takes the bearer of c for.
	Identify(ctx context.Context, c credential.Credential) (api.Identity, error)
}

// Session is one renewal: it seals and issues under one reading of the permanent key, and forgets it at Close.
type Session interface {
	// Sealer seals what this source issues; nil where its credentials stay in memory.
	Sealer() *cache.Sealer
	// Issue asks for a new credential: one call, no retries.
	Issue(ctx context.Context) (credential.Credential, error)
	Close()
}

// Store keeps sealed credentials where a later or another broker finds them: a [cache.Dir] on one machine. What it does
// not have, or cannot read, costs one more call of the source.
type Store interface {
	Get(ctx context.Context, key cache.Key, s *cache.Sealer) (credential.Credential, bool)
	Put(ctx context.Context, key cache.Key, s *cache.Sealer, c credential.Credential) error
	// Lock is the right to renew the entry, among all brokers, until unlock or the end of ctx.
	Lock(ctx context.Context, key cache.Key) (unlock func(), err error)
	// Delete and DeleteAll say when what they removed expires; the zero time is that nothing was there.
	Delete(ctx context.Context, key cache.Key) (expires time.Time, err error)
	DeleteAll(ctx context.Context) (expires []time.Time, err error)
	// Sweep removes what expired before now.
	Sweep(now time.Time)
}

// Profile is all the broker knows of a profile.
type Profile struct {
	Name     string
	Key      string        // name of its permanent key, for status
	Lifetime time.Duration // a new credential is good for so long: the duration asked for less credential.Margin
	Revision uint64        // another one after each change of config or key index
	Source   Source
}

// Profiles finds profiles. What it returns may change from call to call, as config does.
type Profiles interface {
	Lookup(ctx context.Context, name string) (Profile, error)
	Names(ctx context.Context) []string
}

// Options are a Broker's parts. Profiles, Store and Rate are required.
type Options struct {
	Profiles Profiles
	Store    Store
	Now      func() time.Time // the wall clock; nil is time.Now
	Log      *slog.Logger     // nil discards
	Rate     int              // calls of STS a second at most, of every kind
}

// Broker answers with credentials, and asks their sources as rarely as it can.
type Broker struct {
	profiles Profiles
	store    Store
	now      func() time.Time
	log      *slog.Logger
	flights  singleflight.Group // one renewal a slot at a time
	issues   pace               // of new credentials
	asks     pace               // of identities, which are calls of STS too
	meter    *meter
	wake     chan struct{} // tells the refresher that there may be something to do
	beat     chan struct{} // the refresher takes from it each time it comes round

	storeFault, lockFault fault

	mu    sync.Mutex
	slots map[cache.Key]*slot
}

// New returns a Broker over o.
func New(o Options) *Broker {
	b := &Broker{
		profiles: o.Profiles, store: o.Store, log: o.Log,
		meter: newMeter(), wake: make(chan struct{}, 1), beat: make(chan struct{}), slots: make(map[cache.Key]*slot),
	}
	clock := o.Now
	if clock == nil {
		clock = time.Now
	}
	b.now = func() time.Time { return clock().Round(0) } // a monotonic reading would win each comparison of two times
	if b.log == nil {
		b.log = slog.New(slog.DiscardHandler)
	}
	b.issues = pace{own: newWindow(o.Rate), meter: b.meter}
	b.asks = pace{own: newWindow(identityRate), all: b.issues.own, meter: b.meter}
	return b
}

// Answer is a credential and the layer that it came from: "memory", "disk", "sts" for a new one, or "old" for one past
// its time because a new one failed.
type Answer struct {
	credential.Credential
	Layer string
}

// Credential is the credential of [Broker.Answer].
func (b *Broker) Credential(ctx context.Context, name string, minTTL time.Duration) (credential.Credential, error) {
	a, err := b.Answer(ctx, name, minTTL)
	return a.Credential, err
}

// Answer is a credential of the profile: one with at least half its life left, or one past that while a new one
// is fetched behind the caller's back, or, with under 15 minutes left, a new one, or the old one if that fails.
// A minTTL above zero is hard: the credential lives that much longer, or there is an error.
func (b *Broker) Answer(ctx context.Context, name string, minTTL time.Duration) (Answer, error) {
	p, err := b.profiles.Lookup(ctx, name)
	if err != nil {
		return Answer{}, err
	}
	if minTTL >= p.Lifetime { // STS counts whole seconds, so that equal is never met
		return Answer{}, &api.Error{
			Code:    api.BadRequest,
			Message: fmt.Sprintf("min-ttl %s cannot be met: a new credential of profile %q is good for less than %s", human.Span(minTTL), name, human.Span(p.Lifetime)),
			Hint:    "ask for less, or raise the profile's duration",
		}
	}
	s := b.slot(p)
	l := b.use(s)
	now := b.now()
	if left := l.left(now); left >= max(floor(l), minTTL) && !l.doubtful(now) {
		if left < l.half() {
			b.renewBehind(s, p)
		}
		return b.answer(l, fromMemory), nil
	}
	if newOneFellShort(l, minTTL, now) {
		return b.settle(s, p, l, nil, minTTL)
	}
	l, err = b.await(ctx, s, p, minTTL, max(minTTL, floor(l)))
	return b.settle(s, p, l, err, minTTL)
}

// floor is what must be left for an answer without waiting: AWS SDKs call their helper on every request below
// 15 minutes. A credential that STS made short-lived from the start must not cost a call each time it is asked for.
func floor(l lease) time.Duration {
	if whole := l.cred.Duration(); !l.cred.IsZero() && whole < times.Ahead {
		return whole / 2
	}
	return times.Floor
}

// newOneFellShort reports that STS gave l a moment ago, and that even then its life was under minTTL: the next one's
// would be too.
func newOneFellShort(l lease, minTTL time.Duration, wall time.Time) bool {
	whole, left := l.cred.Duration(), l.left(wall)
	return left > 0 && !l.doubtful(wall) && whole < minTTL && whole-left < times.HoldPermanent
}

// settle turns the outcome of a renewal into the answer: the new credential, or the old one while it is valid.
func (b *Broker) settle(s *slot, p Profile, l lease, err error, minTTL time.Duration) (Answer, error) {
	now := b.now()
	if err == nil && l.serves(minTTL, now) {
		return b.answer(l, l.layer), nil
	}
	old := s.current()
	left := old.left(now)
	if old.serves(minTTL, now) {
		if s.tellOld(old) {
			b.log.Warn("serving the old credential", "profile", p.Name, "left", left.Round(time.Second), "err", err)
		}
		return b.answer(old, fromOld), nil
	}
	if left <= 0 && err != nil {
		return Answer{}, err
	}
	unmet := &api.Error{
		Code:    api.MinTTLUnmet,
		Message: fmt.Sprintf("profile %q: %s left of the %s asked for", p.Name, human.Span(max(left, 0).Truncate(time.Second)), human.Span(minTTL)),
		Hint:    "ask for less, or try again", Cause: err,
	}
	if err != nil {
		e := api.AsError(err)
		unmet.Message, unmet.RequestID = unmet.Message+"; a new one failed: "+e.Message, e.RequestID
		if !e.Retryable() && e.Hint != "" { // what to do about that comes first
			unmet.Hint = e.Hint
		}
	}
	return Answer{}, unmet
}

// answer counts what it hands out.
func (b *Broker) answer(l lease, layer string) Answer {
	b.meter.count(answered(layer))
	return Answer{l.cred, layer}
}

// slot finds or makes the place of p's credential.
func (b *Broker) slot(p Profile) *slot {
	key := cache.KeyOf(p.Source.ID())
	b.mu.Lock()
	defer b.mu.Unlock()
	s := b.slots[key]
	if s == nil {
		maps.DeleteFunc(b.slots, func(_ cache.Key, old *slot) bool { return old.profile == p.Name }) // before config changed
		s = &slot{key: key, profile: p.Name}
		b.slots[key] = s
	}
	return s
}

// use notes that s is wanted, which is what the refresher goes by, and returns what it holds.
func (b *Broker) use(s *slot) lease {
	if s.use(b.now()) {
		select {
		case b.wake <- struct{}{}:
		default:
		}
	}
	return s.current()
}
