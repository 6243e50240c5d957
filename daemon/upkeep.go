package daemon

import (
	"context"
	"fmt"

	"github.com/tcred/tcred/api"
	"github.com/tcred/tcred/cache"
	"github.com/tcred/tcred/credential"
)

// Refresh fetches a new credential now, whatever is cached.
func (b *Broker) Refresh(ctx context.Context, name string) (api.ProfileStatus, error) {
	p, err := b.profiles.Lookup(ctx, name)
	if err != nil {
		return api.ProfileStatus{}, err
	}
	s := b.slot(p)
	s.forget()
	ctx, cancel := context.WithTimeout(ctx, api.AnswerTimeout)
	defer cancel()
	if _, err := b.join(ctx, s, p, goal{forced: true}); err != nil {
		return api.ProfileStatus{}, err
	}
	return s.status(p.Name, p.Key), nil
}

// Clear drops the profile's credential from memory and disk; name "" drops all. It says which ones: they stay
// valid at Tencent Cloud until they expire. What cannot be read, because the keystore is locked say, is dropped too.
func (b *Broker) Clear(ctx context.Context, name string) (api.Cleared, error) {
	ctx, cancel := context.WithTimeout(ctx, api.AnswerTimeout)
	defer cancel()
	cleared := api.Cleared{Credentials: []api.ClearedCredential{}}
	names := []string{name}
	if name == "" {
		names = b.profiles.Names(ctx)
	}
	for _, n := range names {
		p, err := b.profiles.Lookup(ctx, n)
		if err != nil && name != "" {
			return cleared, err
		}
		if api.CodeOf(err) == api.NoKey {
			continue // whoever removed the key cleared what it had issued
		}
		if err != nil {
			cleared.Unknown = err.Error()
			continue
		}
		c, unread, err := b.clearOne(ctx, p)
		if err != nil {
			return cleared, err
		}
		if unread != nil && cleared.Unknown == "" {
			cleared.Unknown = unread.Error()
		}
		if !c.IsZero() && c.Expires.After(b.now()) {
			cleared.Credentials = append(cleared.Credentials, api.ClearedCredential{Profile: n, Expires: c.Expires})
		}
	}
	if name != "" {
		return cleared, nil
	}
	cleared.Credentials = append(cleared.Credentials, b.clearRest()...)
	if err := b.cache.DeleteAll(); err != nil { // those of profiles that are gone too
		return cleared, notCleared(err)
	}
	return cleared, nil
}

// clearRest drops from memory what no profile leads to any more.
func (b *Broker) clearRest() (cleared []api.ClearedCredential) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, s := range b.slots {
		if l := s.current(); l.left(b.now()) > 0 {
			cleared = append(cleared, api.ClearedCredential{Profile: s.profile, Expires: l.cred.Expires})
		}
	}
	clear(b.slots)
	return cleared
}

func notCleared(err error) error {
	return &api.Error{
		Code: api.Internal, Message: fmt.Sprintf("what is cached on disk could not be removed: %v", err),
		Hint: "tcred doctor looks at the cache directory", Cause: err,
	}
}

// clearOne drops p's credential; unread says why what is on disk could not be read first.
func (b *Broker) clearOne(ctx context.Context, p Profile) (c credential.Credential, unread, err error) {
	s := b.slot(p)
	defer b.lockEntry(ctx, s)()
	if c = s.current().cred; c.IsZero() {
		var sealer *cache.Sealer
		if sealer, unread = b.sealer(ctx, s, p); sealer != nil {
			c, _ = b.cache.Get(s.key, sealer)
		}
	}
	b.drop(s)
	if err := b.cache.Delete(s.key); err != nil {
		return c, unread, notCleared(err)
	}
	return c, unread, nil
}

// Identity is what GetCallerIdentity says of the profile's credential, asked once in the credential's life.
func (b *Broker) Identity(ctx context.Context, name string) (api.Identity, error) {
	ctx, cancel := context.WithTimeout(ctx, api.AnswerTimeout)
	defer cancel()
	c, err := b.Credential(ctx, name, 0)
	if err != nil {
		return api.Identity{}, err
	}
	p, err := b.profiles.Lookup(ctx, name)
	if err != nil {
		return api.Identity{}, err
	}
	s := b.slot(p)
	if id, ok := s.identityFor(c); ok {
		return id, nil
	}
	v, err := land(ctx, b.flights.DoChan("identity "+string(s.key), func() (any, error) {
		return guard(b.log, func() (api.Identity, error) { return b.identify(s, p, c) })
	}), "identity", p)
	if err != nil {
		return api.Identity{}, err
	}
	return v.(api.Identity), nil
}

func (b *Broker) identify(s *slot, p Profile, c credential.Credential) (api.Identity, error) {
	ctx, cancel := context.WithTimeout(context.Background(), times.Identify)
	defer cancel()
	id, err := call(ctx, b.asks, func() (api.Identity, error) { return p.Identify(ctx, c) })
	if err == nil {
		s.setIdentity(c, id)
	}
	return id, err
}

// Forget drops what is remembered of failures, so that the next call tries: something was mended.
func (b *Broker) Forget() {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, s := range b.slots {
		s.forget()
	}
}

// Lock drops every credential and derived key from memory. What is on disk stays, sealed.
func (b *Broker) Lock() {
	b.mu.Lock()
	defer b.mu.Unlock()
	clear(b.slots)
}

// Status lists every profile with what is known of its credential.
func (b *Broker) Status(ctx context.Context) []api.ProfileStatus {
	list := []api.ProfileStatus{}
	for _, name := range b.profiles.Names(ctx) {
		p, err := b.profiles.Lookup(ctx, name)
		if err != nil {
			list = append(list, api.ProfileStatus{Name: name, LastError: api.ProblemOf(api.AsError(err))})
			continue
		}
		b.mu.Lock()
		s := b.slots[cache.KeyOf(p.Source.ID())]
		b.mu.Unlock()
		if s == nil {
			s = &slot{}
		}
		list = append(list, s.status(p.Name, p.Key))
	}
	return list
}

// Calls is how many calls of sources and identities were made, failed ones too.
func (b *Broker) Calls() int64 { return b.meter.total() }
