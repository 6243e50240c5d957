package keys

import (
	"context"
	"strings"
	"time"

	"github.com/tcred/tcred/api"
	"github.com/tcred/tcred/credential"
	"github.com/tcred/tcred/internal/config"
	"github.com/tcred/tcred/internal/policy"
	"github.com/tcred/tcred/internal/profile"
	"github.com/tcred/tcred/internal/sts"
	"github.com/tcred/tcred/keystore"
)

// Verify asks Tencent Cloud whose the key is, and whether it may issue credentials: it has one issued that grants
// nothing. The entry is what the index should say of the key, under that name.
func Verify(ctx context.Context, set *profile.Set, name string, key keystore.Key) (keystore.Entry, error) {
	who, site, err := FindSite(ctx, set, key, "")
	if err != nil {
		return keystore.Entry{}, err
	}
	if strings.HasPrefix(who.Arn, "qcs::sts:") {
		return keystore.Entry{}, Temporary("of " + who.Arn)
	}
	entry := described(newEntry(name, site, key), site, who)
	c, err := set.Client(site)
	if err != nil {
		return keystore.Entry{}, err
	}
	_, err = c.FederationToken(ctx, key.ID, key.Secret, sts.FederationRequest{
		Name: config.DefaultFederatedUser, Policy: policy.DenyAll, Duration: config.MinDuration,
		Subject: sts.Subject{Key: name, Owner: entry.Owner(), Account: entry.AccountID},
	})
	return entry, err
}

// described is e with what its site says of whose the key is.
func described(e keystore.Entry, site string, who api.Identity) keystore.Entry {
	e.Site, e.AccountID, e.UserID, e.Arn = site, who.AccountID, who.UserID, who.Arn
	e.Type = keystore.IdentitySub
	if who.UserID == who.AccountID {
		e.Type = keystore.IdentityRoot
	}
	return e
}

// Half is one of the two that a key is made of.
type Half int

// The halves, and none of them.
const (
	Neither Half = iota
	SecretID
	SecretKey
)

// WrongHalf tells by the error of Verify which half of a key to enter again.
func WrongHalf(err error) Half {
	switch {
	case api.CodeOf(err) != api.STSCredential:
		return Neither
	case strings.Contains(err.Error(), "AuthFailure.SignatureFailure"):
		return SecretKey
	case strings.Contains(err.Error(), "AuthFailure.SecretIdNotFound"),
		strings.Contains(err.Error(), "AuthFailure.InvalidSecretId"):
		return SecretID
	}
	return Neither
}

// Untried is the entry of a key that was not verified.
func Untried(set *profile.Set, name string, key keystore.Key) keystore.Entry {
	site := ""
	if c, err := set.Config(); err == nil {
		site = c.Site
	}
	return newEntry(name, site, key)
}

func newEntry(name, site string, key keystore.Key) keystore.Entry {
	return keystore.Entry{
		Name: name, SecretID: key.ID, Generation: keystore.NewGeneration(), Site: site,
		Added: time.Now().UTC().Truncate(time.Second),
	}
}

// FindSite asks whose the key is at the site that config names, or at each until one knows its SecretId. A temporary
// key has a token, a permanent one none.
func FindSite(ctx context.Context, set *profile.Set, key keystore.Key, token credential.Secret) (
	who api.Identity, site string, err error,
) {
	c, err := set.Config()
	if err != nil {
		return api.Identity{}, "", err
	}
	sites := config.Sites
	if c.Site != "" || c.Endpoint != nil {
		sites = []string{c.Site}
	}
	var first error
	for _, site := range sites {
		who, err := Identity(ctx, set, site, key, token)
		switch {
		case err == nil:
			return who, site, nil
		case first != nil && api.CodeOf(err) != api.STSCredential:
			return api.Identity{}, "", first // this site does not answer: a network may reach one site only
		case !unknownID(err):
			return api.Identity{}, "", err
		}
		first = err
	}
	return api.Identity{}, "", first
}

// Identity asks a site's STS whose the key is.
func Identity(ctx context.Context, set *profile.Set, site string, key keystore.Key, token credential.Secret) (
	api.Identity, error,
) {
	c, err := set.Client(site)
	if err != nil {
		return api.Identity{}, err
	}
	return c.CallerIdentity(ctx, key.ID, key.Secret, token)
}

// unknownID reports whether STS does not know the SecretId: another site may.
func unknownID(err error) bool {
	return api.CodeOf(err) == api.STSCredential && strings.Contains(err.Error(), "AuthFailure.SecretIdNotFound")
}

// Temporary is the error for a key that GetFederationToken does not take; how says how we know.
func Temporary(how string) error {
	return &api.Error{
		Code: api.BadRequest, Message: "this is a temporary key, " + how,
		Hint: "use a permanent key, from the API keys page of the CAM console",
	}
}
