package keystore

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/tcred/tcred/api"
	"github.com/tcred/tcred/credential"
	"github.com/tcred/tcred/internal/disk"
)

// passphraseCredential is the name of the systemd credential that holds the passphrase.
const passphraseCredential = "tcred.passphrase"

// ReadPassphrase reads the passphrase of a file keystore from a file that must be ours alone. A newline at the end of
// the file is not part of the passphrase.
func ReadPassphrase(path string) (credential.Secret, error) {
	info, err := os.Stat(path)
	if err != nil {
		return "", fail(api.KeystoreFailed, "write it, or correct the path; without a file, tcred unlock asks",
			"the passphrase cannot be read: %w", err)
	}
	if fault, isFault := errors.AsType[*disk.Fault](disk.Private(path, info)); isFault {
		return "", fail(api.KeystoreFailed, fault.Cure, "passphrase file %w", fault)
	}
	return passphraseIn(path)
}

// passphraseIn reads the passphrase from a file, whoever owns it.
func passphraseIn(path string) (credential.Secret, error) {
	text, err := readSmall(path)
	if err != nil {
		return "", fail(api.KeystoreFailed, "", "the passphrase cannot be read: %w", err)
	}
	passphrase := strings.TrimRight(string(text), "\r\n")
	if passphrase == "" {
		return "", fail(api.KeystoreFailed, "", "passphrase file %s is empty", path)
	}
	return credential.Secret(passphrase), nil
}

// findPassphrase reads the passphrase file, else the systemd credential. The permissions of the credential are not
// checked: systemd sets them. Without either file the keystore is locked, and the message ends with consequence.
func (o *opener) findPassphrase(consequence string) (credential.Secret, error) {
	if o.passphraseFile != "" {
		o.warnIfBeside(o.passphraseFile)
		return ReadPassphrase(o.passphraseFile)
	}
	path := filepath.Join(os.Getenv(EnvCredentials), passphraseCredential)
	if _, err := os.Stat(path); os.Getenv(EnvCredentials) == "" || errors.Is(err, fs.ErrNotExist) {
		return "", fail(api.KeystoreLocked, "tcred unlock, or passphrase_file under [keystore] in config.toml",
			"the file keystore is locked%s", consequence)
	}
	return passphraseIn(path)
}

// warnIfBeside warns, once, of a passphrase file in the keystore's own directory.
func (o *opener) warnIfBeside(path string) {
	keystore, err1 := os.Stat(o.dir)
	dir, err2 := os.Stat(filepath.Dir(path))
	if err1 == nil && err2 == nil && os.SameFile(keystore, dir) {
		o.warnOnce.Do(func() {
			o.notify(fmt.Sprintf("passphrase file %s lies beside the keystore it opens: whoever copies one has both", path))
		})
	}
}
