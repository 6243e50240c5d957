// Package source is where a profile's credentials are issued, one file for each way there is: federation, a permanent
// key traded by GetFederationToken.
package source

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/tcred/tcred/api"
	"github.com/tcred/tcred/cache"
	"github.com/tcred/tcred/credential"
	"github.com/tcred/tcred/internal/broker"
	"github.com/tcred/tcred/internal/sts"
	"github.com/tcred/tcred/keystore"
)

// keystoreTimeout bounds the reading of a permanent key. The keychain has a shorter one of its own. The file keystore
// takes a second to open, and several where many open it at once on a busy machine: a caller waits 9 s, and is better
// served in the last of them than told after 5.
const keystoreTimeout = 8 * time.Second

// Keys is where permanent keys are read.
type Keys interface {
	Get(ctx context.Context, name string) (keystore.Key, error)
}

// Federation issues by GetFederationToken, asked by a permanent key. It is a [broker.Source].
type Federation struct {
	Client   *sts.Client
	Keys     Keys
	Key      keystore.Entry // as the index has it; Keys must hold the same SecretId
	Profile  string         // for messages
	Name     string         // the federated user's
	Policy   string         // compact JSON
	Duration time.Duration
}

// ID spells out all that a credential of f depends on, as canonical JSON with no secret in it. Two
// federations with the same ID may answer for each other.
func (f *Federation) ID() string {
	id, _ := json.Marshal(struct { // strings and numbers: cannot fail
		Version    int    `json:"version"`
		Call       string `json:"call"`
		Endpoint   string `json:"endpoint"`
		Region     string `json:"region"`
		SecretID   string `json:"secret_id"`
		Generation string `json:"generation"`
		Name       string `json:"name"`
		Policy     string `json:"policy"`
		Seconds    int64  `json:"seconds"`
	}{
		1, "GetFederationToken", f.Client.Host(), f.Client.Region(), f.Key.SecretID, f.Key.Generation, f.Name, f.Policy,
		int64(f.Duration / time.Second),
	})
	return string(id)
}

// Open reads the key, with one call to the keystore.
func (f *Federation) Open(ctx context.Context) (broker.Session, error) {
	key, err := f.readKey(ctx)
	if err != nil {
		return nil, err
	}
	sealer, err := cache.NewSealer(key.Secret)
	if err != nil {
		return nil, fmt.Errorf("deriving the cache's key from key %q: %w", f.Key.Name, err)
	}
	return &federating{Federation: f, key: key, sealer: sealer}, nil
}

// Identify asks GetCallerIdentity.
func (f *Federation) Identify(ctx context.Context, c credential.Credential) (api.Identity, error) {
	return f.Client.CallerIdentity(ctx, c.SecretID, c.SecretKey, c.Token)
}

// federating is one renewal of a Federation.
type federating struct {
	*Federation
	key    keystore.Key
	sealer *cache.Sealer
}

func (s *federating) Sealer() *cache.Sealer { return s.sealer }

// Issue trades the key for a new credential: one call to STS, no retries.
func (s *federating) Issue(ctx context.Context) (credential.Credential, error) {
	return s.Client.FederationToken(ctx, s.key.ID, s.key.Secret, sts.FederationRequest{
		Name: s.Name, Policy: s.Policy, Duration: s.Duration,
		Subject: sts.Subject{Profile: s.Profile, Key: s.Key.Name, Owner: s.Key.Owner(), Account: s.Key.AccountID},
	})
}

// Close forgets the key. What Go copied of it stays until the collector comes by.
func (s *federating) Close() { s.key, s.sealer = keystore.Key{}, nil }

func (f *Federation) readKey(ctx context.Context) (keystore.Key, error) {
	ctx, cancel := context.WithTimeout(ctx, keystoreTimeout)
	defer cancel()
	key, err := f.Keys.Get(ctx, f.Key.Name)
	if err != nil {
		return keystore.Key{}, err
	}
	if key.ID != f.Key.SecretID {
		return keystore.Key{}, &api.Error{
			Code: api.KeystoreFailed,
			Message: fmt.Sprintf("key %q in the keystore is %s, but tcred added it as %s",
				f.Key.Name, credential.Mask(key.ID), credential.Mask(f.Key.SecretID)),
			Hint: "changed by something else? tcred add " + f.Key.Name + " --replace",
		}
	}
	return key, nil
}
