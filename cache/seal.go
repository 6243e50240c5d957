package cache

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"

	"github.com/tcred/tcred/credential"
)

// sealInfo is what the derived key is for.
const sealInfo = "tcred cache v1"

// Sealer seals and opens entries under one permanent key. It holds a key derived from it, and prints as [redacted].
type Sealer struct{ aead cipher.AEAD }

// Format prints "[redacted]" for every verb.
func (Sealer) Format(f fmt.State, _ rune) { io.WriteString(f, credential.Secret("").String()) }

// NewSealer derives the key of the entries that secret, a permanent SecretKey, was traded for: HKDF-SHA256 without a
// salt. The error is that of an empty secret.
//
// A salt would make it harder to try many likely secrets at once, or ahead of time. Tencent Cloud makes a SecretKey of
// 32 random letters and digits, about 190 bits: there are no likely ones, and RFC 5869 has the salt optional for such a
// secret. Without it the derived key is the same wherever the SecretKey is the same, so that an entry opens in another
// directory and on another machine as well, for whoever has the SecretKey. All of them draw their 96-bit nonces at
// random under that one key, which is safe for 2^32 entries (NIST SP 800-38D); a profile in use makes about 25 a day.
func NewSealer(secret credential.Secret) (*Sealer, error) {
	if secret == "" {
		return nil, errors.New("cannot seal cache entries under an empty secret")
	}
	key, err := hkdf.Key(sha256.New, []byte(secret.Reveal()), nil, sealInfo, 32)
	if err != nil {
		return nil, fmt.Errorf("derive the cache's key: %w", err)
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, fmt.Errorf("make the cache's cipher: %w", err)
	}
	aead, err := cipher.NewGCMWithRandomNonce(block)
	if err != nil {
		return nil, fmt.Errorf("make the cache's cipher: %w", err)
	}
	return &Sealer{aead}, nil
}

// seal returns the whole entry of c under key.
func (s Sealer) seal(key Key, c credential.Credential) ([]byte, error) {
	text, err := encodeBody(c)
	if err != nil {
		return nil, err
	}
	entry := s.sealText(key, header{version, c.Expires.Unix()}, text)
	if len(entry) > maxEntry {
		return nil, fmt.Errorf("a credential of %d bytes is too large to cache", len(entry))
	}
	return entry, nil
}

func (s Sealer) sealText(key Key, h header, text []byte) []byte {
	return s.aead.Seal(h.bytes(), nil, text, append([]byte(key), h.bytes()...))
}

// open is the reverse of seal: errDamaged for everything that seal did not make with this key and this Sealer,
// errNewerEntry for a version to come.
func (s Sealer) open(key Key, raw []byte) (credential.Credential, error) {
	h, err := parseHeader(raw)
	if err != nil {
		return credential.Credential{}, err
	}
	if h.version > version {
		return credential.Credential{}, errNewerEntry
	}
	text, err := s.aead.Open(nil, nil, raw[headerSize:], append([]byte(key), raw[:headerSize]...))
	if err != nil {
		return credential.Credential{}, fmt.Errorf("%w, or sealed under another key", errDamaged)
	}
	return decodeBody(text)
}
