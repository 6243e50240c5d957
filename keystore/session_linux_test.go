package keystore

import (
	"testing"

	"github.com/tcred/tcred/internal/testworld"
	"github.com/tcred/tcred/internal/testworld/keyring"
)

// newSession makes a bus that offers nothing yet, and points this process's environment to it.
func newSession(t *testing.T) *keyring.Session {
	t.Helper()
	testworld.NeedPrograms(t, keyring.Programs...)
	s, err := keyring.Start()
	must(t, err)
	t.Cleanup(s.Close)
	t.Setenv("DBUS_SESSION_BUS_ADDRESS", s.Address)
	return s
}

// newKeyring is a session with an unlocked keyring.
func newKeyring(t *testing.T) *keyring.Session {
	t.Helper()
	s := newSession(t)
	must(t, s.StartKeyring())
	return s
}

// systemKeychain is, on Linux, one of the test's own.
func systemKeychain(t *testing.T) { newKeyring(t) }
