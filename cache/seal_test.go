package cache

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/sha256"
	"fmt"
	"log/slog"
	"testing"
)

func TestASealerPrintsRedacted(t *testing.T) {
	s := mustSealer(t, testSecret)
	var out bytes.Buffer
	fmt.Fprintf(&out, "%v %+v %#v %s %x %v\n", s, s, s, s, s, *s)
	slog.New(slog.NewTextHandler(&out, nil)).Info("x", "sealer", s)
	slog.New(slog.NewJSONHandler(&out, nil)).Info("x", "sealer", s)
	want := "[redacted] [redacted] [redacted] [redacted] [redacted] [redacted]\n"
	if !bytes.HasPrefix(out.Bytes(), []byte(want)) || bytes.Contains(out.Bytes(), []byte("aead")) {
		t.Errorf("prints as %s", out.String())
	}
}

func TestNoSealerFromAnEmptySecret(t *testing.T) {
	if s, err := NewSealer(""); err == nil {
		t.Errorf("got %v", s)
	}
}

// HKDF as RFC 5869 spells it, with no salt and one block of output: nothing but the secret opens an entry.
func TestAnEntryIsSealedUnderTheSecretAlone(t *testing.T) {
	hash := func(key []byte, text string) []byte {
		h := hmac.New(sha256.New, key)
		h.Write([]byte(text))
		return h.Sum(nil)
	}
	key := hash(hash(make([]byte, sha256.Size), testSecret.Reveal()), "tcred cache v1\x01")
	block, err1 := aes.NewCipher(key)
	gcm, err2 := cipher.NewGCM(block)
	entry, err3 := mustSealer(t, testSecret).seal(testKey, testCredential(1))
	mustDo(t, err1, err2, err3)

	head, nonce, sealed := entry[:headerSize], entry[headerSize:headerSize+12], entry[headerSize+12:]
	text, err := gcm.Open(nil, nonce, sealed, append([]byte(testKey), head...))
	mustDo(t, err)
	if c, err := decodeBody(text); err != nil || !same(c, testCredential(1)) {
		t.Errorf("opened another credential: %v", err)
	}
}
