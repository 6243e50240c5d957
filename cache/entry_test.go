package cache

import (
	"errors"
	"testing"
	"time"

	"github.com/tcred/tcred/credential"
)

func TestAnEntryOpensOnlyWhole(t *testing.T) {
	s := mustSealer(t, testSecret)
	entry, err := s.seal(testKey, testCredential(1))
	if err != nil {
		t.Fatal(err)
	}
	if got, err := s.open(testKey, entry); err != nil || !same(got, testCredential(1)) {
		t.Fatalf("the entry as it was sealed: %v, %v", got, err)
	}
	for i := range entry {
		for _, flip := range []byte{0x01, 0x80, 0xff} {
			entry[i] ^= flip
			if _, err := s.open(testKey, entry); err == nil {
				t.Errorf("opened with byte %d of %d changed", i, len(entry))
			}
			entry[i] ^= flip
		}
		if _, err := s.open(testKey, entry[:i]); !errors.Is(err, errDamaged) {
			t.Errorf("cut to %d bytes: %v, want damaged", i, err)
		}
	}
	if _, err := s.open(testKey, append(entry, 0)); !errors.Is(err, errDamaged) {
		t.Errorf("with a byte more: %v, want damaged", err)
	}
}

func TestAnEntryOpensOnlyUnderItsKeyAndSecret(t *testing.T) {
	s := mustSealer(t, testSecret)
	entry, err := s.seal(testKey, testCredential(1))
	mustDo(t, err)
	if _, err := s.open(KeyOf("another"), entry); !errors.Is(err, errDamaged) {
		t.Errorf("another key: %v, want damaged", err)
	}
	if _, err := mustSealer(t, "another-permanent-key").open(testKey, entry); !errors.Is(err, errDamaged) {
		t.Errorf("another secret: %v, want damaged", err)
	}
}

func TestAHeaderOfVersion0IsNone(t *testing.T) {
	if _, err := parseHeader(header{version: 0}.bytes()); !errors.Is(err, errDamaged) {
		t.Errorf("%v, want damaged", err)
	}
}

// Any credential comes back as it was, and from no mutation of its entry comes any.
func FuzzEntry(f *testing.F) {
	f.Add("AKIDtest", "key", "token", "request", int64(1732190400), int64(1), int64(1732197600), uint16(5), byte(1))
	f.Add("\xff", "\x00", "<&>", "", int64(-62135596800), int64(0), int64(0), uint16(0), byte(0xff))
	f.Add("", "", "", "", int64(0), int64(0), int64(0), uint16(0), byte(0))
	f.Fuzz(func(t *testing.T, id, secret, token, request string, issued, nanos, expires int64, at uint16, flip byte) {
		c := credential.Credential{
			SecretID: id, SecretKey: credential.Secret(secret), Token: credential.Secret(token),
			Issued: time.Unix(issued, nanos), Expires: time.Unix(expires, 0), RequestID: request,
		}
		s := mustSealer(t, testSecret)
		entry, err := s.seal(testKey, c)
		if err != nil {
			return // not whole, or times that no calendar has
		}
		got, err := s.open(testKey, entry)
		if err != nil || !same(got, c) {
			t.Fatalf("sealed and opened again: %v", err)
		}
		if h, err := parseHeader(entry); err != nil || h.expires != expires {
			t.Fatalf("the header says %v, %v", h, err)
		}
		if _, err := s.open(testKey, entry[:int(at)%len(entry)]); err == nil {
			t.Fatalf("opened though cut to %d bytes", int(at)%len(entry))
		}
		if entry[int(at)%len(entry)] ^= flip; flip == 0 {
			return
		}
		if _, err := s.open(testKey, entry); err == nil {
			t.Fatalf("opened with byte %d changed", int(at)%len(entry))
		}
	})
}

// What decodes is a whole credential that encodes and decodes to itself; raw bytes never pass for an entry.
func FuzzBody(f *testing.F) {
	text, err := encodeBody(testCredential(1))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(text)
	f.Add([]byte(`{"secret_id":"YQ==","secret_key":"YQ==","token":"YQ==",` +
		`"issued":"0000-01-01T00:00:00+23:59","expires":"2026-01-01T00:00:00Z"}`))
	f.Add([]byte("null"))
	f.Fuzz(func(t *testing.T, text []byte) {
		s := mustSealer(t, testSecret)
		if _, err := s.open(testKey, text); err == nil {
			t.Fatal("opened what was never sealed")
		}
		got, err := s.open(testKey, s.sealText(testKey, header{version, 0}, text))
		if err != nil {
			if !errors.Is(err, errDamaged) {
				t.Fatalf("%v, want damaged", err)
			}
			return
		}
		entry, err := s.seal(testKey, got)
		if err != nil || got.IsZero() {
			t.Fatalf("decoded what cannot be encoded: %v", err)
		}
		if again, err := s.open(testKey, entry); err != nil || !same(again, got) {
			t.Fatalf("encoded and decoded to something else: %v", err)
		}
	})
}
