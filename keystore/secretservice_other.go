//go:build !linux

package keystore

import (
	"errors"
	"os/exec"

	keyring "github.com/zalando/go-keyring"
)

// prepare looks for an item that does not exist. That raises no prompt: macOS looks items up in a locked keychain too,
// and Windows has no locked keychain.
func (r request) prepare(func()) error {
	if r.Op != opProbe && r.Op != opUnlock {
		return nil
	}
	if _, err := keyring.Get(keychainService, "tcred-probe"); !errors.Is(err, keyring.ErrNotFound) {
		return err
	}
	return nil
}

// Exit statuses of macOS's security program: the low bytes of OSStatus codes.
const (
	securityNotAllowed = 36  // errSecInteractionNotAllowed: locked, and nobody to ask
	securityNoKeychain = 37  // errSecNoDefaultKeychain
	securityAuthFailed = 51  // errSecAuthFailed
	securityCanceled   = 128 // userCanceledErr
)

// platformError finds out what a failure of macOS's security program means.
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
