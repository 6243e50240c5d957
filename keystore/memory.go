package keystore

import (
	"context"
	"maps"
	"slices"
	"sync"

	"github.com/tcred/tcred/credential"
)

// memory holds keys for the life of the process.
type memory struct {
	mu   sync.Mutex
	keys map[string]Key
}

// NewMemory makes a store for tests: it holds a copy of keys and forgets all with the process.
func NewMemory(keys map[string]Key) Store {
	m := &memory{keys: make(map[string]Key)}
	maps.Copy(m.keys, keys)
	return m
}

func (*memory) Name() string { return "memory" }

func (m *memory) Get(_ context.Context, name string) (Key, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	k, ok := m.keys[name]
	if !ok {
		return Key{}, noKey("memory", name, "tcred add "+name)
	}
	return k, nil
}

func (m *memory) Put(_ context.Context, name string, k Key) error {
	if err := checkName(name); err != nil {
		return err
	}
	if _, err := encodePair(k); err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.keys[name] = k
	return nil
}

func (m *memory) Delete(ctx context.Context, name string) error {
	if _, err := m.Get(ctx, name); err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.keys, name)
	return nil
}

func (m *memory) List(context.Context) ([]string, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Sorted(maps.Keys(m.keys)), nil
}

func (*memory) Probe(context.Context) error { return nil }

func (*memory) Unlock(context.Context, credential.Secret) error { return nil }

func (*memory) Lock() {}

func (*memory) ReadOnly() bool { return false }
