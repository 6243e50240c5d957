package keystore

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime/debug"
	"strings"
	"sync"

	"filippo.io/age"
	"golang.org/x/sync/singleflight"

	"github.com/tcred/tcred/api"
	"github.com/tcred/tcred/credential"
)

// opener opens the identity of a file keystore and keeps it. An opening costs memory and time, so callers share one,
// and it goes on when a caller gives up. A passphrase that was found in a file and was wrong is remembered, and is not
// tried again. One that a person typed is tried each time, and is never kept.
type opener struct {
	dir            string
	passphraseFile string
	notify         func(string)
	decrypt        func(encrypted []byte, passphrase credential.Secret) (*age.X25519Identity, error)

	warnOnce sync.Once
	openings singleflight.Group // one for all callers with the same passphrase
	running  sync.Mutex         // one at a time, whatever the passphrase

	mu        sync.Mutex
	last      result
	lockCount int // how often Lock was called
}

// result is how the last opening ended.
type result struct {
	version  string              // of the identity files that were read
	path     string              // of the one that was opened
	identity *age.X25519Identity // nil if wrong did not open it
	wrong    credential.Secret   // the passphrase, which was found in a file
}

// Lock forgets the identity, also one that is being opened right now.
func (o *opener) Lock() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.last = result{}
	o.lockCount++
}

// open returns the identity. A given passphrase is always checked, even if the keystore is open. With "" an open
// keystore is enough; for one that is locked the passphrase is looked for. An error's message ends with consequence.
func (o *opener) open(
	ctx context.Context, passphrase credential.Secret, consequence string,
) (*age.X25519Identity, error) {
	version, err := o.checkIdentity()
	if err != nil {
		return nil, err
	}
	given := passphrase != ""
	if !given {
		if last, _ := o.lastResult(version); last.identity != nil {
			return last.identity, nil
		}
		if passphrase, err = o.findPassphrase(consequence); err != nil {
			return nil, err
		}
	}
	opening := o.openings.DoChan(fmt.Sprint(given, passphrase.Reveal()), func() (any, error) {
		return o.openNow(version, passphrase, given)
	})
	select {
	case r := <-opening:
		identity, _ := r.Val.(*age.X25519Identity)
		return identity, r.Err
	case <-ctx.Done():
		return nil, interrupted(ctx, "try again in a moment", "the file keystore is still being opened"+consequence)
	}
}

// openNow opens the identity file of that version. For a passphrase that was found in a file, the last result may be
// enough; one that was given is tried.
func (o *opener) openNow(
	version string, passphrase credential.Secret, given bool,
) (*age.X25519Identity, error) {
	o.running.Lock()
	defer o.running.Unlock()
	last, lockCount := o.lastResult(version)
	switch {
	case given:
	case last.identity != nil:
		return last.identity, nil
	case last.wrong == passphrase:
		return nil, o.wrongPassphrase()
	}
	for _, path := range identityFiles(o.dir) {
		identity, err := o.decryptFile(path, passphrase)
		if err == nil {
			o.remember(result{version: version, path: path, identity: identity}, lockCount)
			return identity, nil
		}
		if !errors.Is(err, age.ErrIncorrectIdentity) {
			return nil, err
		}
	}
	if !given { // a typed one is not kept, and does not close a keystore that is open
		o.remember(result{version: version, wrong: passphrase}, lockCount)
	}
	return nil, o.wrongPassphrase()
}

// decryptFile opens one identity file. The error is age.ErrIncorrectIdentity if the passphrase is wrong.
func (o *opener) decryptFile(path string, passphrase credential.Secret) (*age.X25519Identity, error) {
	encrypted, err := readSmall(path)
	if err != nil {
		return nil, fail(api.KeystoreFailed, "", "the file keystore cannot be opened: %w", err)
	}
	if err := enoughMemory(factorOf(encrypted)); err != nil {
		return nil, err
	}
	identity, err := o.decrypt(encrypted, passphrase)
	debug.FreeOSMemory() // else a daemon keeps what scrypt took for good
	if err != nil && !errors.Is(err, age.ErrIncorrectIdentity) {
		return nil, fail(api.KeystoreFailed,
			"restore it from a backup, or move the directory away and make a new one: tcred init --keystore file",
			"%s is damaged: %w", path, err)
	}
	return identity, err
}

// lastResult is how the last opening of the identity file of that version ended, and how often Lock was called so far.
func (o *opener) lastResult(version string) (last result, lockCount int) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.last.version != version {
		if o.last.identity == nil || !o.opensKeys(o.last.identity) {
			return result{}, o.lockCount
		}
		o.last.version = version // the same keystore with another passphrase
	}
	return o.last, o.lockCount
}

// opensKeys reports whether the keystore has a key that is encrypted to identity, and none that is not.
func (o *opener) opensKeys(identity *age.X25519Identity) bool {
	names, err := listNames(o.dir, keyPrefix, keySuffix)
	for _, name := range names {
		encrypted, err := readSmall(filepath.Join(o.dir, keyPrefix+name+keySuffix))
		if err != nil {
			return false
		}
		if _, err := decrypt(encrypted, identity); err != nil {
			return false
		}
	}
	return err == nil && len(names) > 0
}

// lastOpening is how the last opening ended.
func (o *opener) lastOpening() result {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.last
}

// remember keeps r, unless Lock was called in the meantime.
func (o *opener) remember(r result, lockCount int) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.lockCount == lockCount {
		o.last = r
	}
}

func (o *opener) wrongPassphrase() error {
	return fail(api.WrongPassphrase, "at a terminal tcred unlock asks for it; is passphrase_file in config.toml the right one?",
		"the passphrase does not open the file keystore in %s", o.dir)
}

// checkIdentity fails if the keystore is not there or not ours alone. The version is another one when the identity file
// was replaced.
func (o *opener) checkIdentity() (version string, err error) {
	if err := checkPrivate("the file keystore", o.dir); err != nil {
		return "", err
	}
	info, err := os.Lstat(filepath.Join(o.dir, identityFile))
	if errors.Is(err, fs.ErrNotExist) {
		return "", fail(api.KeystoreAbsent, "tcred init --keystore file, then tcred add",
			"there is no file keystore in %s yet", o.dir)
	}
	if err != nil {
		return "", fail(api.KeystoreFailed, "", "the file keystore cannot be read: %w", err)
	}
	version = fmt.Sprint(info.Size(), info.ModTime().UnixNano())
	if next, err := os.Lstat(filepath.Join(o.dir, nextFile)); err == nil {
		version += fmt.Sprint(" ", next.Size(), next.ModTime().UnixNano())
	}
	return version, nil
}

// decryptIdentity reads an identity file. The error is age.ErrIncorrectIdentity if the passphrase is wrong.
func decryptIdentity(encrypted []byte, passphrase credential.Secret) (*age.X25519Identity, error) {
	scrypt, err := age.NewScryptIdentity(passphrase.Reveal())
	if err != nil {
		return nil, err
	}
	text, err := decrypt(encrypted, scrypt)
	if err != nil {
		return nil, err
	}
	identity, err := age.ParseX25519Identity(strings.TrimSpace(text))
	if err != nil {
		return nil, errors.New("it holds no age identity") // age's own error may quote the text
	}
	return identity, nil
}
