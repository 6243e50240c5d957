package profile

import (
	"context"
	"time"

	"github.com/tcred/tcred/credential"
	"github.com/tcred/tcred/internal/config"
)

// STSRate is how many calls a second STS gets at most; the default while there is no valid config to go by.
func (s *Set) STSRate() int {
	c, err := s.Config()
	if err != nil {
		return config.DefaultSTSRate
	}
	return c.STSRate
}

// IdleExit is after how long without a request the daemon ends; 0 is never. A service never ends for idleness.
func (s *Set) IdleExit(service bool) time.Duration {
	c, err := s.Config()
	if err != nil || service {
		return 0
	}
	return c.IdleExit
}

// StoreName is the name of the keystore in use, "" while there is no valid config.
func (s *Set) StoreName() string {
	store, err := s.Store()
	if err != nil {
		return ""
	}
	return store.Name()
}

// Probe says whether keys can be read from the keystore in use; see keystore.Store.
func (s *Set) Probe(ctx context.Context) error {
	store, err := s.Store()
	if err != nil {
		return err
	}
	return store.Probe(ctx)
}

// Unlock opens the keystore in use; see keystore.Store.
func (s *Set) Unlock(ctx context.Context, passphrase credential.Secret) error {
	store, err := s.Store()
	if err != nil {
		return err
	}
	return store.Unlock(ctx, passphrase)
}

// Lock makes the keystore in use forget what Unlock opened.
func (s *Set) Lock() {
	if store, err := s.Store(); err == nil {
		store.Lock()
	}
}
