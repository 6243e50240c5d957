// Package keys is a keystore for tests.
package keys

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/tcred/tcred/api"
	"github.com/tcred/tcred/credential"
	"github.com/tcred/tcred/keystore"
)

// Memory holds keys for the life of the process. It takes and refuses what a real store does: keystore's tests hold it
// to that.
type Memory struct {
	mu   sync.Mutex
	keys map[string]keystore.Key
}

// NewMemory makes a store with a copy of keys, by name.
func NewMemory(keys map[string]keystore.Key) *Memory {
	m := &Memory{keys: make(map[string]keystore.Key)}
	maps.Copy(m.keys, keys)
	return m
}

var errBadRequest = &api.Error{Code: api.BadRequest, Message: "not a key's name, SecretId or SecretKey"}

// Name is "memory".
func (*Memory) Name() string { return "memory" }

// Get reads a key.
func (m *Memory) Get(_ context.Context, name string) (keystore.Key, error) {
	if !api.ValidName(name) {
		return keystore.Key{}, errBadRequest
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	k, ok := m.keys[name]
	if !ok {
		return keystore.Key{}, &api.Error{
			Code: api.NoKey, Message: fmt.Sprintf("memory holds no key %q", name), Hint: "tcred add " + name,
		}
	}
	return k, nil
}

// Put stores a key.
func (m *Memory) Put(_ context.Context, name string, k keystore.Key) error {
	secret := k.Secret.Reveal()
	odd := func(r rune) bool { return r <= ' ' || r > '~' || r == ':' }
	if !api.ValidName(name) || k.ID == "" || secret == "" || strings.ContainsFunc(k.ID+secret, odd) {
		return errBadRequest
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.keys[name] = k
	return nil
}

// Delete removes a key.
func (m *Memory) Delete(ctx context.Context, name string) error {
	if _, err := m.Get(ctx, name); err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.keys, name)
	return nil
}

// List names every key.
func (m *Memory) List(context.Context) ([]string, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Sorted(maps.Keys(m.keys)), nil
}

// Probe finds the store usable.
func (*Memory) Probe(context.Context) error { return nil }

// Unlock does nothing: the store is never locked.
func (*Memory) Unlock(context.Context, credential.Secret) error { return nil }

// Lock does nothing.
func (*Memory) Lock() {}

// ReadOnly is false.
func (*Memory) ReadOnly() bool { return false }
