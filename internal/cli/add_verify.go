package cli

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

// verify finds out whose the key is, and whether it may issue credentials, by one that grants nothing.
func (a *app) verify(ctx context.Context, set *profile.Set, name string, key keystore.Key) (keystore.Entry, error) {
	who, site, err := findSite(ctx, set, key, "")
	if err != nil {
		return keystore.Entry{}, err
	}
	entry := newEntry(name, site, key)
	entry.AccountID, entry.UserID, entry.Arn = who.AccountID, who.UserID, who.Arn
	if strings.HasPrefix(who.Arn, "qcs::sts:") {
		return keystore.Entry{}, temporaryKey("of " + who.Arn)
	}
	entry.Type = keystore.IdentitySub
	if who.UserID == who.AccountID {
		entry.Type = keystore.IdentityRoot
	}
	c, err := set.Client(site)
	if err != nil {
		return keystore.Entry{}, err
	}
	_, err = c.FederationToken(ctx, key, sts.FederationRequest{
		Name: config.DefaultFederatedUser, Policy: policy.DenyAll, Duration: config.MinDuration,
		Subject: sts.Subject{Key: name, Account: shortIdentity(entry)},
	})
	return entry, err
}

// untried is what is known of a key that was not verified.
func untried(set *profile.Set, name string, key keystore.Key) keystore.Entry {
	site := ""
	if c, err := set.Config(); err == nil {
		site = c.Site
	}
	return newEntry(name, site, key)
}

func newEntry(name, site string, key keystore.Key) keystore.Entry {
	return keystore.Entry{
		Name: name, SecretID: key.ID, Generation: keystore.NewGeneration(), Site: site, Added: time.Now().UTC().Truncate(time.Second),
	}
}

// shortIdentity says whose a key is, for errors of STS.
func shortIdentity(e keystore.Entry) string {
	if e.Type == keystore.IdentityRoot {
		return "root account " + e.AccountID
	}
	return "sub-account " + e.UserID
}

// findSite asks whose the key is at the site that config names, or at each until one knows its SecretId. A temporary
// key has a token, a permanent one none.
func findSite(ctx context.Context, set *profile.Set, key keystore.Key, token credential.Secret) (api.Identity, string, error) {
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
		id, err := callerIdentity(ctx, set, site, key, token)
		switch {
		case err == nil:
			return id, site, nil
		case first != nil && api.CodeOf(err) != api.STSCredential:
			return api.Identity{}, "", first // such as a network that reaches one site only
		case !unknownID(err):
			return api.Identity{}, "", err
		}
		first = err
	}
	return api.Identity{}, "", first
}

func callerIdentity(ctx context.Context, set *profile.Set, site string, key keystore.Key, token credential.Secret) (api.Identity, error) {
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
