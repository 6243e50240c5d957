//go:build !linux

package keystore

import (
	"errors"
	"os/exec"

	keyring "github.com/zalando/go-keyring"
)

// prepare asks for an item that need not be there, where asking cannot prompt: macOS looks up an item's attributes
// in a locked keychain too, and Windows has no lock of its own.
func (r request) prepare(func()) error {
	if r.Op != opProbe && r.Op != opUnlock {
		return nil
	}
	if _, err := keyring.Get(keychainService, "tcred-probe"); !errors.Is(err, keyring.ErrNotFound) {
		return err
	}
	return nil
}

// The low bytes of macOS's OSStatus codes, which its security program exits with.
const (
	securityNotAllowed = 36  // errSecInteractionNotAllowed: locked, and nobody to ask
	securityNoKeychain = 37  // errSecNoDefaultKeychain
	securityAuthFailed = 51  // errSecAuthFailed
	securityCanceled   = 128 // userCanceledErr
)

// platformError tells macOS's failures apart.
func platformError(err error) error {
	var exit *exec.ExitError
	if !errors.As(err, &exit) {
		return err
	}
	switch exit.ExitCode() {
	case securityNotAllowed:
		return errLocked
	case securityNoKeychain:
		return &absentError{"there is no default keychain here", fileCure}
	case securityAuthFailed, securityCanceled:
		return errDismissed
	}
	return err
}
