package cache

import (
	"bytes"
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"time"

	"github.com/tcred/tcred/credential"
)

const (
	saltName = "salt"
	saltSize = 32
	saltWait = 5 * time.Second  // at most, for another process that makes the salt: STS needs its share of a budget
	sealInfo = "tcred cache v1" // what the derived key is for
)

// Sealer seals and opens entries under one permanent key. It holds a key derived from it, and prints as [redacted].
type Sealer struct {
	aead cipher.AEAD
	salt []byte
}

// Format prints "[redacted]" for every verb.
func (Sealer) Format(f fmt.State, _ rune) { io.WriteString(f, credential.Secret("").String()) }

// Sealer derives the key of the entries that secret, a permanent SecretKey, was traded for. It makes the
// directory and its salt if need be, and waits for another process that does, until ctx ends; with a salt in place it
// works in a read-only directory too.
func NewSealer(secret credential.Secret) (*Sealer, error) { return newSealer(secret, nil) }

func (d *Dir) Sealer(ctx context.Context, secret credential.Secret) (*Sealer, error) {
	if secret == "" {
		return nil, errors.New("cannot seal cache entries under an empty secret")
	}
	if err := d.make(); err != nil {
		return nil, err
	}
	fresh := make([]byte, saltSize)
	rand.Read(fresh) // never fails: see its documentation
	salt, err := d.saltOr(ctx, fresh)
	if err != nil {
		return nil, err
	}
	return newSealer(secret, salt)
}

func newSealer(secret credential.Secret, salt []byte) (*Sealer, error) {
	key, err := hkdf.Key(sha256.New, []byte(secret.Reveal()), salt, sealInfo, 32)
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
	return &Sealer{aead: aead, salt: salt}, nil
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

// readSalt returns the salt; fs.ErrNotExist if there is none, errDamaged if something else lies in its place.
func (d *Dir) readSalt() ([]byte, fs.FileInfo, error) {
	salt, info, err := readFile(d.file(saltName, ""))
	if err == nil && len(salt) != saltSize {
		err = fmt.Errorf("%w: %d bytes, not %d", errDamaged, len(salt), saltSize)
	}
	return salt, info, err
}

// saltOr returns the directory's salt, which becomes fresh if there is none.
func (d *Dir) saltOr(ctx context.Context, fresh []byte) ([]byte, error) {
	salt, _, err := d.readSalt()
	if err == nil {
		return salt, nil
	}
	if !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, errDamaged) {
		return nil, fmt.Errorf("read the cache's salt: %w", err)
	}
	ctx, cancel := context.WithTimeout(ctx, saltWait)
	defer cancel()
	held, err := d.lock(ctx, saltName)
	if err != nil {
		return nil, fmt.Errorf("make the cache's salt: %w", err)
	}
	defer held.Unlock()
	return d.makeSalt(fresh)
}

// makeSalt never replaces a salt: where locks do not hold, two processes still end up with one.
func (d *Dir) makeSalt(fresh []byte) ([]byte, error) {
	salt, info, err := d.readSalt()
	if err == nil {
		return salt, nil
	}
	if errors.Is(err, errDamaged) {
		d.warnOnce("the cache's salt is damaged; moved aside, and every entry is lost", d.file(saltName, ""), err)
		d.moveAside(saltName, "", info)
	}
	if err := d.write(saltName, "", fresh, os.Link); err != nil && !errors.Is(err, fs.ErrExist) {
		return nil, err
	}
	if salt, _, err = d.readSalt(); err != nil {
		return nil, fmt.Errorf("read the cache's salt: %w", err)
	}
	return salt, nil
}

// keepSalt puts s's salt back if it has vanished, so that what s seals can be opened after a restart.
func (d *Dir) keepSalt(ctx context.Context, s *Sealer) error {
	if s.salt == nil {
		return nil
	}
	salt, err := d.saltOr(ctx, s.salt)
	if err != nil {
		return err
	}
	if !bytes.Equal(salt, s.salt) {
		return ErrStaleSealer
	}
	return nil
}

// Stale reports whether the directory has another salt than s, so that s opens none of its entries and Put refuses it:
// make a new Sealer. A directory without a salt is no reason to; Put brings s's back.
func (d *Dir) Stale(s *Sealer) bool {
	salt, _, err := d.readSalt()
	return err == nil && !bytes.Equal(salt, s.salt)
}
