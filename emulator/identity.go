package emulator

import (
	"time"

	"github.com/tcred/tcred/credential"
)

// identity is what GetCallerIdentity says of a caller.
type identity struct {
	Type        string // CAMUser or CAMRole
	AccountID   string `json:"AccountId"`
	UserID      string `json:"UserId"`
	PrincipalID string `json:"PrincipalId"`
	Arn         string
}

// userIdentity is that of a permanent key.
func userIdentity(a Account) identity {
	return identity{"CAMUser", a.AccountID, a.UIN, a.UIN, "qcs::cam:" + a.AccountID + ":uin/" + a.UIN}
}

// federatedIdentity is that of a credential from GetFederationToken.
func federatedIdentity(a Account, name string) identity {
	arn := "qcs::sts:" + a.AccountID + ":federated-user/" + a.UIN
	return identity{"CAMUser", a.AccountID, a.UIN + ":" + name, a.UIN, arn}
}

// roleIdentity is that of a credential from AssumeRole.
func roleIdentity(a Account, roleID, sessionName string) identity {
	arn := "qcs::sts:" + a.AccountID + ":assumed-role/" + roleID
	return identity{"CAMRole", a.AccountID, roleID + ":" + sessionName, a.UIN, arn}
}

func (e *Emulator) callerIdentity(c *call) (any, error) {
	if err := c.params.only(); err != nil {
		return nil, err
	}
	return identityAnswer{c.caller.identity, c.requestID}, nil
}

// SeedRole makes a credential of a role, as AssumeRole would give it to account, which need not be one of the
// emulator's: for tests of what such a credential may ask. Its Expires is STS's own, with nothing taken off.
func (e *Emulator) SeedRole(account Account, roleID, sessionName string, lifetime time.Duration) credential.Credential {
	return e.issue(account, roleIdentity(account, roleID, sessionName), e.now(), lifetime)
}
