package sts

import (
	"time"

	sdk "github.com/tencentcloud/tencentcloud-sdk-go/tencentcloud/sts/v20180813"

	"github.com/tcred/tcred/api"
	"github.com/tcred/tcred/credential"
	"github.com/tcred/tcred/internal/human"
)

// The most bytes STS puts into the parts of a credential (GetFederationToken's page).
const (
	maxToken     = 4096
	maxSecretID  = 1024
	maxSecretKey = 1024
)

// The most bytes of an identity's fields. A real one's stay under a hundred; what is taken ends up in the key index,
// which is read up to a limit of its own.
const (
	maxIdentity = 256
	maxArn      = 1024
)

// credential is the answer to GetFederationToken, sent at that time, as a whole credential.
func (x *exchange) credential(p *sdk.GetFederationTokenResponseParams, sent time.Time, asked time.Duration) (credential.Credential, error) {
	if p == nil || p.Credentials == nil {
		return credential.Credential{}, x.fault("no credentials")
	}
	c := credential.Credential{
		SecretID:  deref(p.Credentials.TmpSecretId),
		SecretKey: credential.Secret(deref(p.Credentials.TmpSecretKey)),
		Token:     credential.Secret(deref(p.Credentials.Token)),
		Issued:    sent.UTC().Round(0), // no monotonic reading: it stands still while a laptop sleeps
		RequestID: x.requestID,
	}
	for _, part := range []struct {
		name, value string
		limit       int
	}{
		{"Token", c.Token.Reveal(), maxToken}, {"TmpSecretId", c.SecretID, maxSecretID}, {"TmpSecretKey", c.SecretKey.Reveal(), maxSecretKey},
	} {
		switch {
		case part.value == "":
			return credential.Credential{}, x.fault("a credential without %s", part.name)
		case len(part.value) > part.limit:
			return credential.Credential{}, x.fault("a %s of %d bytes", part.name, len(part.value))
		case !human.Visible(part.value):
			return credential.Credential{}, x.fault("a %s that is not plain text", part.name)
		}
	}
	expires, ok := expiry(p)
	if !ok {
		return credential.Credential{}, x.fault("a credential that has no expiry")
	}
	// A clock that runs behind must not make a dead token look alive: count from when it was asked for, too.
	if latest := c.Issued.Add(asked); expires.After(latest) {
		expires = latest
	}
	c.Expires = expires.Add(-credential.Margin)
	if !c.Expires.After(x.now()) {
		return credential.Credential{}, x.fault("a credential that has expired or will within a minute")
	}
	return c, nil
}

// expiry reads ExpiredTime, and Expiration only without it: that one may be null.
func expiry(p *sdk.GetFederationTokenResponseParams) (time.Time, bool) {
	const yearTenThousand = 253402300800
	if p.ExpiredTime != nil && *p.ExpiredTime > 0 {
		return time.Unix(int64(min(*p.ExpiredTime, yearTenThousand)), 0).UTC(), true
	}
	t, err := time.Parse(time.RFC3339, deref(p.Expiration))
	return t.UTC(), err == nil
}

// identity is the answer to GetCallerIdentity.
func (x *exchange) identity(p *sdk.GetCallerIdentityResponseParams) (api.Identity, error) {
	if p == nil {
		return api.Identity{}, x.fault("no identity")
	}
	id := api.Identity{
		Type: deref(p.Type), AccountID: deref(p.AccountId), UserID: deref(p.UserId),
		PrincipalID: deref(p.PrincipalId), Arn: deref(p.Arn), RequestID: x.requestID,
	}
	if id.AccountID == "" || id.Arn == "" {
		return api.Identity{}, x.fault("an identity without AccountId or Arn")
	}
	for _, field := range []struct {
		name, value string
		limit       int
	}{
		{"Type", id.Type, maxIdentity}, {"AccountId", id.AccountID, maxIdentity}, {"UserId", id.UserID, maxIdentity},
		{"PrincipalId", id.PrincipalID, maxIdentity}, {"Arn", id.Arn, maxArn},
	} {
		switch {
		case len(field.value) > field.limit:
			return api.Identity{}, x.fault("an identity with %s of %d bytes", field.name, len(field.value))
		case !human.Visible(field.value):
			return api.Identity{}, x.fault("an identity whose %s is not plain text", field.name)
		}
	}
	return id, nil
}

func deref(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}
