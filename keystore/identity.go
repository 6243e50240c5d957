package keystore

import (
	"strings"

	"github.com/tcred/tcred/credential"
)

// Owner says whose the key is, as errors and lists do: "root account 100000000001", "sub-account 100000000002". It is
// "" while that is unknown.
func (e Entry) Owner() string {
	switch e.Type {
	case IdentityRoot:
		return "root account " + e.AccountID
	case IdentitySub:
		return "sub-account " + e.UserID
	}
	return ""
}

// Describe is the key on one line: its owner, with the account that a sub-account is in; its masked SecretId; its site.
// A key without an owner was never tried at Tencent Cloud, and the line says so.
func (e Entry) Describe() string {
	line := "SecretId " + credential.Mask(e.SecretID)
	switch e.Type {
	case IdentityRoot:
		line = e.Owner() + ", " + line
	case IdentitySub:
		line = e.Owner() + " of account " + e.AccountID + ", " + line
	default:
		line += ", not tried"
	}
	if e.Site != "" {
		line += ", site " + e.Site
	}
	return line
}

// LooksLikeID reports whether id begins as the SecretIds of Tencent Cloud do: those of the mainland site, or of the
// international one.
func LooksLikeID(id string) bool {
	return strings.HasPrefix(id, "AKID") || strings.HasPrefix(id, "IKID")
}
