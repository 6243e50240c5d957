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

// opener opens the identity of a file keystore and keeps it. As that costs memory and time, it
// happens once: callers share it, a caller that gives up leaves it running, and a file's passphrase that was refused is
// remembered. What a person types is checked each time and never kept.
type opener struct {
	dir            string
	passphraseFile string
	notify         func(string)
	unwrap         func(sealed []byte, passphrase credential.Secret) (*age.X25519Identity, error)

	warn    sync.Once
	opening singleflight.Group
	scrypt  sync.Mutex // held through an opening: one at a time

	mu    sync.Mutex
	last  attempt
	locks int // how often Lock was called
}

// attempt is how the last opening ended.
type attempt struct {
	stamp    string              // of the identity files it read
	path     string              // of the one that it opened
	identity *age.X25519Identity // nil if refused was refused
	refused  credential.Secret   // as found on disk
}

// Lock forgets the identity, also one that is being opened right now.
func (o *opener) Lock() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.last, o.locks = attempt{}, o.locks+1
}

// open returns the identity. A passphrase that is given must be the right one, even if the keystore is open. With none
// given it looks for one, if need be; so ends the message if there is none.
func (o *opener) open(ctx context.Context, passphrase credential.Secret, so string) (*age.X25519Identity, error) {
	stamp, err := o.stamp()
	if err != nil {
		return nil, err
	}
	given := passphrase != ""
	if !given {
		if last, _ := o.known(stamp); last.identity != nil {
			return last.identity, nil
		}
		if passphrase, err = o.findPassphrase(so); err != nil {
			return nil, err
		}
	}
	flight := fmt.Sprint(given, passphrase.Reveal())
	result := o.opening.DoChan(flight, func() (any, error) { return o.openNow(stamp, passphrase, given) })
	select {
	case r := <-result:
		identity, _ := r.Val.(*age.X25519Identity)
		return identity, r.Err
	case <-ctx.Done():
		return nil, interrupted(ctx, "try again in a moment", "the file keystore is still being opened"+so)
	}
}

// openNow takes the word of the last opening for a passphrase that was found, never for one that was given.
func (o *opener) openNow(stamp string, passphrase credential.Secret, given bool) (*age.X25519Identity, error) {
	o.scrypt.Lock()
	defer o.scrypt.Unlock()
	last, locks := o.known(stamp)
	switch {
	case given:
	case last.identity != nil:
		return last.identity, nil
	case last.refused == passphrase:
		return nil, o.wrongPassphrase()
	}
	for _, path := range identityFiles(o.dir) {
		identity, err := o.unwrapFile(path, passphrase)
		if err == nil {
			o.remember(attempt{stamp: stamp, path: path, identity: identity}, locks)
			return identity, nil
		}
		if !errors.Is(err, age.ErrIncorrectIdentity) {
			return nil, err
		}
	}
	if !given { // an open keystore stays open
		o.remember(attempt{stamp: stamp, refused: passphrase}, locks)
	}
	return nil, o.wrongPassphrase()
}

// unwrapFile opens one identity file. The error is age.ErrIncorrectIdentity if passphrase is wrong.
func (o *opener) unwrapFile(path string, passphrase credential.Secret) (*age.X25519Identity, error) {
	sealed, err := readSmall(path)
	if err != nil {
		return nil, fail(api.KeystoreFailed, "", "the file keystore cannot be opened: %w", err)
	}
	if err := enoughMemory(factorOf(sealed)); err != nil {
		return nil, err
	}
	identity, err := o.unwrap(sealed, passphrase)
	debug.FreeOSMemory() // what scrypt took would stay with a daemon for good
	if err != nil && !errors.Is(err, age.ErrIncorrectIdentity) {
		return nil, fail(api.KeystoreFailed, "restore it from a backup, or move the directory away and begin anew: tcred init --keystore file",
			"%s is damaged: %w", path, err)
	}
	return identity, err
}

// known is how the last opening of the file of that stamp ended, and the count of locks so far.
func (o *opener) known(stamp string) (attempt, int) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.last.stamp != stamp {
		if o.last.identity == nil || !o.isOf(o.last.identity) {
			return attempt{}, o.locks
		}
		o.last.stamp = stamp // the same keystore under another passphrase
	}
	return o.last, o.locks
}

// isOf reports whether keys in the keystore are encrypted to identity.
func (o *opener) isOf(identity *age.X25519Identity) bool {
	recipient, err := readSmall(filepath.Join(o.dir, recipientFile))
	return err == nil && strings.TrimSpace(string(recipient)) == identity.Recipient().String()
}

// lastAttempt is how the last opening ended.
func (o *opener) lastAttempt() attempt {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.last
}

// remember keeps a, unless Lock was called since there were that many locks.
func (o *opener) remember(a attempt, locks int) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.locks == locks {
		o.last = a
	}
}

func (o *opener) wrongPassphrase() error {
	return fail(api.WrongPassphrase,
		"at a terminal tcred unlock asks for it; is passphrase_file in config.toml the right one?",
		"the passphrase does not open the file keystore in %s", o.dir)
}

// stamp checks that the keystore is there and ours, and tells one identity file from a later one in its place.
func (o *opener) stamp() (string, error) {
	if err := ownDir("the file keystore", o.dir); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return "", err
	}
	info, err := os.Lstat(filepath.Join(o.dir, identityFile))
	if errors.Is(err, fs.ErrNotExist) {
		return "", fail(api.KeystoreAbsent, "tcred init --keystore file, then tcred add", "there is no file keystore in %s yet", o.dir)
	}
	if err != nil {
		return "", fail(api.KeystoreFailed, "", "the file keystore cannot be read: %w", err)
	}
	stamp := fmt.Sprint(info.Size(), info.ModTime().UnixNano())
	if next, err := os.Lstat(filepath.Join(o.dir, nextFile)); err == nil {
		stamp += fmt.Sprint(" ", next.Size(), next.ModTime().UnixNano())
	}
	return stamp, nil
}

// unwrapIdentity opens an identity file. The error is age.ErrIncorrectIdentity if passphrase is wrong.
func unwrapIdentity(sealed []byte, passphrase credential.Secret) (*age.X25519Identity, error) {
	scrypt, err := age.NewScryptIdentity(passphrase.Reveal())
	if err != nil {
		return nil, err
	}
	text, err := unseal(sealed, scrypt)
	if err != nil {
		return nil, err
	}
	identity, err := age.ParseX25519Identity(strings.TrimSpace(text))
	if err != nil {
		return nil, errors.New("it holds no age identity") // age's own error may quote the text
	}
	return identity, nil
}
