package keystore

import (
	"strings"
	"testing"
)

func TestPairsAreReadAsPeopleWriteThem(t *testing.T) {
	for text, want := range map[string]Key{
		"AKID1\nsecret":         {"AKID1", "secret"},
		"AKID1\nsecret\n":       {"AKID1", "secret"},
		"AKID1\r\nsecret\r\n":   {"AKID1", "secret"},
		"AKID1:secret":          {"AKID1", "secret"},
		"AKID1: secret\n":       {"AKID1", "secret"},
		"AKID1 secret":          {"AKID1", "secret"},
		"AKID1\tse+cr/et==\n\n": {"AKID1", "se+cr/et=="},
		"":                      {}, "AKID1": {}, "AKID1\n": {}, "a b c": {},
		"\ufeffAKID1 secret": {}, "AKID1 sécret": {}, "a\x00 b": {},
		"AKID1 " + strings.Repeat("x", maxPart+1): {},
	} {
		if got, ok := parsePair(text); got != want || ok != (want != Key{}) {
			t.Errorf("parsePair(%q) = %q %q, %v", text, got.ID, got.Secret.Reveal(), ok)
		}
	}
}

// What keychain, file and dir hold is read by one parser: whatever it takes can be stored and comes back the same.
func FuzzPair(f *testing.F) {
	for _, seed := range []string{"AKID1\nsecret\n", "AKID1:secret", " a  b ", "a:b:c", "\xff:\xff", "::a::b"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		k, ok := parsePair(text)
		if !ok {
			if k != (Key{}) {
				t.Fatal("refused, but not empty")
			}
			return
		}
		if !strings.Contains(text, k.ID) || !strings.Contains(text, k.Secret.Reveal()) {
			t.Fatalf("%q and %q are not in %q", k.ID, k.Secret.Reveal(), text)
		}
		stored, err := encodePair(k)
		if err != nil {
			t.Fatal(err)
		}
		if again, ok := parsePair(stored); !ok || again != k {
			t.Fatalf("%q became %q", text, stored)
		}
	})
}
