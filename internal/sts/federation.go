package sts

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/tcred/tcred/api"
	"github.com/tcred/tcred/credential"
	"github.com/tcred/tcred/keystore"
)

// keystoreTimeout bounds the reading of a permanent key.
const keystoreTimeout = 5 * time.Second

// Federation is where one profile's credentials come from: a permanent key, traded by GetFederationToken.
type Federation struct {
	Client   *Client
	Store    keystore.Store
	Key      keystore.Entry // as the index has it; the store must hold the same SecretId
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
		1, "GetFederationToken", f.Client.Host(), f.Client.region, f.Key.SecretID, f.Key.Generation, f.Name, f.Policy,
		int64(f.Duration / time.Second),
	})
	return string(id)
}

// Issue reads the key and trades it for a new credential: one call to the keystore, one to STS, no retries.
func (f *Federation) Issue(ctx context.Context) (credential.Credential, error) {
	key, err := f.readKey(ctx)
	if err != nil {
		return credential.Credential{}, err
	}
	return f.Client.FederationToken(ctx, key, FederationRequest{
		Name: f.Name, Policy: f.Policy, Duration: f.Duration,
		Subject: Subject{Profile: f.Profile, Key: f.Key.Name, Account: f.Key.Owner()},
	})
}

func (f *Federation) readKey(ctx context.Context) (keystore.Key, error) {
	ctx, cancel := context.WithTimeout(ctx, keystoreTimeout)
	defer cancel()
	key, err := f.Store.Get(ctx, f.Key.Name)
	if err != nil {
		return keystore.Key{}, err
	}
	if key.ID != f.Key.SecretID {
		return keystore.Key{}, &api.Error{
			Code: api.KeystoreFailed,
			Message: fmt.Sprintf("key %q in the keystore is %s, but tcred added it as %s",
				f.Key.Name, keystore.Mask(key.ID), keystore.Mask(f.Key.SecretID)),
			Hint: "changed by something else? tcred add " + f.Key.Name + " --replace",
		}
	}
	return key, nil
}
