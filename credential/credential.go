// Package credential is the temporary credential and every format it is handed out in.
package credential

import (
	"fmt"
	"io"
	"time"
)

const redacted = "[redacted]"

// Margin is taken off the expiry that an issuer states, once, where its answer is parsed: SDKs use a
// process credential until that very second, and a request under way must still arrive.
const Margin = 60 * time.Second

// Secret is a string that prints as [redacted] however it is printed, JSON included.
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
