// Package credential is a temporary credential of Tencent Cloud, and every format that tools take one in.
//
// [Credential] is what package client returns and package emulator issues: the triple TmpSecretId, TmpSecretKey and
// token, and how long it lives. Printed in any way it shows its end and nothing else; the parts are reached by their
// fields, and the two that are secret by [Secret.Reveal]:
//
//	secretID, secretKey, token := c.SecretID, c.SecretKey.Reveal(), c.Token.Reveal()
//
// [Credential.Encode] writes it as a [Format]: for AWS's credential_process, as STS and the COS SDKs answer, as a
// file of tccli, or as assignments for a shell. [Credential.Environ] makes the environment of a child that is to use
// it and nothing else.
//
// # Stability
//
// tcred is at version 0. The formats are other programs' and change only with them; further ones may come, and
// further variables in Variables and Environ. Names that are exported here may still change in a minor version, and
// the changelog says so. That a credential never prints its secrets stays.
package credential

import (
	"fmt"
	"io"
	"time"
)

const redacted = "[redacted]"

// Margin is what tcred takes off the expiry that STS states, once, where it parses the answer: SDKs use a credential
// until that very second, and a request under way must still arrive. Expires of a credential from the daemon is
// without it.
const Margin = 60 * time.Second

// Secret is a string that prints as [redacted] however it is printed, JSON included. Package fmt alone does not see
// that in an unexported field of a struct: such a type needs a Format method too, as [Credential] has one.
type Secret string

// Reveal returns the secret itself. Every call is a place where it may leave.
func (s Secret) Reveal() string { return string(s) }

// String returns "[redacted]".
func (Secret) String() string { return redacted }

// Format prints "[redacted]" for every verb.
func (Secret) Format(f fmt.State, _ rune) { io.WriteString(f, redacted) }

// MarshalText returns "[redacted]", which covers JSON, TOML and slog.
func (Secret) MarshalText() ([]byte, error) { return []byte(redacted), nil }

// Mask shortens a SecretId for people: its first six and last four characters, "AKIDz8…fQv6".
// An id under 16 bytes is hidden whole, as "…".
func Mask(secretID string) string {
	if len(secretID) < 16 {
		return "…"
	}
	return secretID[:6] + "…" + secretID[len(secretID)-4:]
}

// Credential is a temporary credential as STS issued it: the triple, and how long it lives.
type Credential struct {
	SecretID  string // TmpSecretId, at most 1024 bytes; not a secret by itself
	SecretKey Secret // TmpSecretKey, at most 1024 bytes
	Token     Secret // at most 4096 bytes
	Issued    time.Time
	Expires   time.Time // when to stop using it: Margin before the issuer's own expiry
	RequestID string    // of the call that issued it
}

// String shows nothing but the life of c.
func (c Credential) String() string {
	return fmt.Sprintf("%s until %s", redacted, c.Expires.UTC().Format(time.RFC3339))
}

// Format prints as String does for every verb, %#v included.
func (c Credential) Format(f fmt.State, _ rune) { io.WriteString(f, c.String()) }

// IsZero reports whether c lacks any part of the triple or its expiry: such a credential must never be served.
func (c Credential) IsZero() bool {
	return c.SecretID == "" || c.SecretKey == "" || c.Token == "" || c.Expires.IsZero()
}

// Duration is how long c was good for when it was issued.
func (c Credential) Duration() time.Duration { return c.Expires.Sub(c.Issued) }
