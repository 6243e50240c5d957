//go:build !linux

package keystore

import (
	"os"
	"testing"
)

// systemKeychain is the one of whoever runs the test, so they must say that they want it.
func systemKeychain(t *testing.T) {
	t.Helper()
	if os.Getenv("TCRED_TEST_REAL") != "1" {
		t.Skip("writes into your own keychain: TCRED_TEST_REAL=1 runs it")
	}
}
