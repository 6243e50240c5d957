package keystore

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/tcred/tcred/api"
	"github.com/tcred/tcred/credential"
	"github.com/tcred/tcred/internal/disk"
)

// passphraseCredential is the name of the systemd credential that holds the passphrase.
const passphraseCredential = "tcred.passphrase"

// randomLength is how many letters and digits a random passphrase has behind randomPrefix, at least: 260 bits.
const (
	randomPrefix = "random-"
	randomLength = 52
)

var randomShape = regexp.MustCompile(`^` + randomPrefix + `[A-Z2-7]{` + strconv.Itoa(randomLength) + `,}$`)

// isRandom reports whether MakePassphrase made a passphrase. It cannot be guessed, whatever scrypt does.
func isRandom(passphrase credential.Secret) bool { return randomShape.MatchString(passphrase.Reveal()) }

// MakePassphrase writes a random passphrase to path, 0600, whole or not at all. What is there already is never
// replaced: the error is then fs.ErrExist. Directories that are missing become the user's alone.
func MakePassphrase(path string) (credential.Secret, error) {
	passphrase := credential.Secret(randomPrefix + rand.Text() + rand.Text())
	dir := filepath.Dir(path)
	temp := filepath.Join(dir, "."+filepath.Base(path)+"-"+rand.Text())
	err := os.MkdirAll(dir, 0o700)
	if err == nil {
		err = disk.Write(temp, filepath.Base(temp)+".tmp", []byte(passphrase.Reveal()+"\n"))
	}
	if err == nil {
		err = putInPlace(temp, path)
		os.Remove(temp) // one that stays is a passphrase of nothing
	}
	if errors.Is(err, fs.ErrExist) {
		return "", err
	}
	if err != nil {
		return "", fail(api.KeystoreFailed, "--passphrase-file takes a path that you may write",
			"the passphrase cannot be written: %w", err)
	}
	return passphrase, nil
}

// putInPlace gives the file at temp the name path, unless there is one: a link, unlike a rename, never replaces
// anything. Not every file system has links.
func putInPlace(temp, path string) error {
	err := os.Link(temp, path)
	if err == nil || errors.Is(err, fs.ErrExist) {
		return err
	}
	if _, err := os.Lstat(path); !errors.Is(err, fs.ErrNotExist) {
		return fs.ErrExist
	}
	return os.Rename(temp, path)
}

// MinPassphrase is the fewest characters of a new passphrase. Whoever has a copy of the keystore can try about six a
// second with each core: one small letter lasts some seconds, eight random ones more than a thousand years of a core.
const MinPassphrase = 8

// CheckPassphrase fails, with api.BadRequest, for a new passphrase that is soon guessed. An old one is taken as it is.
func CheckPassphrase(passphrase credential.Secret) error {
	if n := utf8.RuneCountInString(passphrase.Reveal()); n < MinPassphrase {
		return fail(api.BadRequest, "four random words, or what a password manager makes",
			"the passphrase is shorter than %d characters: whoever copies the keystore would soon have guessed it",
			MinPassphrase)
	}
	return nil
}

// ReadPassphrase reads the passphrase of a file keystore from a file that must be ours alone. A newline at the end of
// the file is not part of the passphrase.
func ReadPassphrase(path string) (credential.Secret, error) {
	info, err := os.Stat(path)
	if err != nil {
		return "", fail(api.KeystoreFailed,
			"write it, or correct passphrase_file in config.toml; at a terminal tcred unlock asks",
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
