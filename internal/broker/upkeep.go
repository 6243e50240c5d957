package broker

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/tcred/tcred/api"
	"github.com/tcred/tcred/cache"
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

// Clear drops the profile's credentials from memory and disk, those from before config changed too as far as they are
// in memory; name "" drops all. It says which ones: they stay valid at Tencent Cloud until they expire.
func (b *Broker) Clear(ctx context.Context, name string) (api.Cleared, error) {
	ctx, cancel := context.WithTimeout(ctx, api.AnswerTimeout)
	defer cancel()
	slots, err := b.slotsOf(ctx, name)
	if err != nil {
		return api.Cleared{}, err
	}
	cleared := api.Cleared{Credentials: []api.ClearedCredential{}}
	note := func(profile string, expires time.Time) {
		if expires.After(b.now()) {
			cleared.Credentials = append(cleared.Credentials, api.ClearedCredential{Profile: profile, Expires: expires})
		}
	}
	for _, s := range slots {
		expires, err := b.clearOne(ctx, s)
		if err != nil {
			return cleared, notCleared(err)
		}
		note(cmp.Or(name, s.profile), expires)
	}
	if name == "" {
		rest, err := b.store.DeleteAll(ctx) // no profile leads to them
		if err != nil {
			return cleared, notCleared(err)
		}
		for _, expires := range rest {
			note("", expires)
		}
	}
	slices.SortFunc(cleared.Credentials, func(a, b api.ClearedCredential) int {
		return cmp.Or(cmp.Compare(a.Profile, b.Profile), a.Expires.Compare(b.Expires))
	})
	return cleared, nil
}

// slotsOf are the slots that a profile's credentials have, or may have on disk; name "" is every profile.
func (b *Broker) slotsOf(ctx context.Context, name string) (map[cache.Key]*slot, error) {
	names := []string{name}
	if name == "" {
		names = b.profiles.Names(ctx)
	}
	found := make(map[cache.Key]*slot)
	for _, n := range names {
		p, err := b.profiles.Lookup(ctx, n)
		if err != nil && name != "" {
			return nil, err
		}
		if err == nil {
			key := cache.KeyOf(p.Source.ID())
			found[key] = &slot{key: key, profile: n}
		}
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	for key, s := range b.slots {
		if name == "" || s.profile == name || found[key] != nil {
			found[key] = s
		}
	}
	return found, nil
}

func notCleared(err error) error {
	return &api.Error{
		Code: api.Internal, Message: fmt.Sprintf("what is cached on disk could not be removed: %v", err),
		Hint: "tcred doctor looks at the cache directory", Cause: err,
	}
}

// clearOne drops what s holds, and says when it expires. A renewal under way ends first.
func (b *Broker) clearOne(ctx context.Context, s *slot) (expires time.Time, err error) {
	defer b.lockEntry(ctx, s, times.Lock)()
	expires, err = b.store.Delete(ctx, s.key)
	if held := s.current().cred.Expires; held.After(expires) {
		expires = held
	}
	b.drop(s)
	return expires, err
}

// Forget drops what is remembered of failures, so that the next call tries: something was mended.
func (b *Broker) Forget() {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, s := range b.slots {
		s.forget()
	}
}

// Retry drops what is remembered of the profile's failure, so that the next call asks: a person tries again.
func (b *Broker) Retry(ctx context.Context, name string) {
	if p, err := b.profiles.Lookup(ctx, name); err == nil { // if not, nothing was asked either
		b.slot(p).forget()
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

// StoreFault is why the store did not take the last credential, "" if it took it, or none was there to take.
func (b *Broker) StoreFault() string { return b.storeFault.text() }

// Calls is how many calls of sources and identities were made, failed ones too.
func (b *Broker) Calls() int64 { return int64(b.meter.of(callCount)) }
