package keystore

import (
	"os"
	"testing"

	"github.com/tcred/tcred/keystore/keyringtest"
)

// newSession makes a bus that offers nothing yet, and points this process's environment to it.
// Without TCRED_TEST_REAL=1 it skips the test; with it, whatever is missing fails it.
func newSession(t *testing.T) *keyringtest.Session {
	t.Helper()
	if os.Getenv("TCRED_TEST_REAL") != "1" {
		t.Skip("needs dbus-daemon and gnome-keyring-daemon: TCRED_TEST_REAL=1 runs it")
	}
	s, err := keyringtest.Start()
	must(t, err)
	t.Cleanup(s.Close)
	t.Setenv("DBUS_SESSION_BUS_ADDRESS", s.Address)
	return s
}

// newKeyring is a session with an unlocked keyring.
func newKeyring(t *testing.T) *keyringtest.Session {
	t.Helper()
	s := newSession(t)
	must(t, s.StartKeyring())
	return s
}

// systemKeychain is, on Linux, one of the test's own.
func systemKeychain(t *testing.T) { newKeyring(t) }

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
