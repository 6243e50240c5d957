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

// passphraseCredential is the passphrase's name among a systemd unit's credentials.
const passphraseCredential = "tcred.passphrase"

// ReadPassphrase reads the passphrase of a file keystore from a file that must be ours alone. The newline at its end
// is not part of it.
func ReadPassphrase(path string) (credential.Secret, error) {
	info, err := os.Stat(path)
	if err != nil {
		return "", fail(api.KeystoreFailed, "write it, or correct the path; without a file, tcred unlock asks", "the passphrase cannot be read: %w", err)
	}
	if fault, is := errors.AsType[*disk.Fault](disk.Private(path, info)); is {
		return "", fail(api.KeystoreFailed, fault.Cure, "passphrase file %w", fault)
	}
	return passphraseIn(path)
}

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

// findPassphrase reads the passphrase file, or the systemd credential, whose access systemd sees to. so ends the
// message if there is neither.
func (o *opener) findPassphrase(so string) (credential.Secret, error) {
	if o.passphraseFile != "" {
		o.warnBeside(o.passphraseFile)
		return ReadPassphrase(o.passphraseFile)
	}
	path := filepath.Join(os.Getenv(EnvCredentials), passphraseCredential)
	if _, err := os.Stat(path); os.Getenv(EnvCredentials) == "" || errors.Is(err, fs.ErrNotExist) {
		return "", fail(api.KeystoreLocked, "tcred unlock, or passphrase_file under [keystore] in config.toml",
			"the file keystore is locked%s", so)
	}
	return passphraseIn(path)
}

// warnBeside tells once of a passphrase file in the keystore's own directory.
func (o *opener) warnBeside(path string) {
	dir, err1 := os.Stat(o.dir)
	beside, err2 := os.Stat(filepath.Dir(path))
	if err1 == nil && err2 == nil && os.SameFile(dir, beside) {
		o.warn.Do(func() {
			o.notify(fmt.Sprintf("passphrase file %s lies beside the keystore it opens: whoever copies one has both", path))
		})
	}
}
