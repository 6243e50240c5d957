package broker

import (
	"context"
	"fmt"

	"github.com/tcred/tcred/api"
	"github.com/tcred/tcred/credential"
)

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
	v, err := waitFor(ctx, b.flights.DoChan("identity "+string(s.key), func() (any, error) {
		return Guard(b.log, func() (api.Identity, error) { return b.identify(s, p, c) })
	}), "identity", fmt.Sprintf("profile %q", p.Name))
	if err != nil {
		return api.Identity{}, err
	}
	return v.(api.Identity), nil
}

func (b *Broker) identify(s *slot, p Profile, c credential.Credential) (api.Identity, error) {
	ctx, cancel := context.WithTimeout(context.Background(), times.Identify)
	defer cancel()
	id, err := call(ctx, b.asks, func() (api.Identity, error) { return p.Source.Identify(ctx, c) })
	if err == nil {
		s.setIdentity(c, id)
	}
	return id, err
}

// Question asks who the bearer of a permanent key is: one call of STS.
type Question func(context.Context) (api.Identity, error)

// KeyIdentity is who the bearer of a permanent key is. It is asked each time, for it tells whether the key still works;
// whoever asks meanwhile shares the answer, and all keys together stay under the limit of calls. read reads the key.
func (b *Broker) KeyIdentity(ctx context.Context, key string, read func(context.Context, string) (Question, error)) (
	api.Identity, error,
) {
	ctx, cancel := context.WithTimeout(ctx, api.AnswerTimeout)
	defer cancel()
	v, err := waitFor(ctx, b.flights.DoChan("key "+key, func() (any, error) {
		return Guard(b.log, func() (api.Identity, error) { return b.identifyKey(key, read) })
	}), "identity", fmt.Sprintf("key %q", key))
	if err != nil {
		return api.Identity{}, err
	}
	return v.(api.Identity), nil
}

func (b *Broker) identifyKey(key string, read func(context.Context, string) (Question, error)) (api.Identity, error) {
	reading, cancel := context.WithTimeout(context.Background(), times.Identify)
	defer cancel()
	ask, err := read(reading, key)
	if err != nil {
		return api.Identity{}, err
	}
	ctx, cancel := context.WithTimeout(context.Background(), times.Identify)
	defer cancel()
	return call(ctx, b.asks, func() (api.Identity, error) { return ask(ctx) })
}
