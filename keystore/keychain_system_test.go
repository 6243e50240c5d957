package keystore

import (
	"strings"
	"testing"

	"github.com/tcred/tcred/api"
	"github.com/tcred/tcred/credential"
)

// The system's own keychain, asked as the daemon asks it: through a child, which calls go-keyring. On Linux that is a
// gnome-keyring of the test's own, on macOS and Windows the one of whoever runs the test.
func TestTheSystemsKeychainKeepsAKeyAndForgetsIt(t *testing.T) {
	systemKeychain(t)
	t.Setenv("TCRED_TEST_CHILD", "")
	s, err := Open(Options{Backend: "keychain"})
	if err != nil {
		t.Fatal(err)
	}
	const name = "tcred-test-of-the-keychain" // nobody's key: this one is lost
	s.Delete(t.Context(), name)               // what a killed test left
	t.Cleanup(func() { s.Delete(t.Context(), name) })

	longest := Key{strings.Repeat("i", maxPart), credential.Secret(strings.Repeat("k", maxPart))}
	for _, k := range []Key{testKey, longest} {
		if err := s.Put(t.Context(), name, k); err != nil {
			t.Fatal(err, api.AsError(err).Hint)
		}
		if got, err := s.Get(t.Context(), name); err != nil || got != k {
			t.Errorf("put %v, got %v, %v", k, got, err)
		}
	}
	if err := s.Delete(t.Context(), name); err != nil {
		t.Error(err)
	}
	_, err = s.Get(t.Context(), name)
	wantCode(t, err, api.NoKey)
}
