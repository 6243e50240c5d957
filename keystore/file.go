package keystore

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"filippo.io/age"

	"github.com/tcred/tcred/api"
	"github.com/tcred/tcred/credential"
)

// The files of a file keystore. A key's has a prefix, so that no name of a key is one of the others'.
const (
	identityFile  = "identity.age"  // the age X25519 identity, wrapped by scrypt under the passphrase
	nextFile      = "identity.next" // the same under another passphrase, while that is being changed
	recipientFile = "recipient.txt" // its public half: keys can be added while the store is locked
	keyPrefix     = "key."
	keySuffix     = ".age"

	unfinished = ".keystore-*" // a keystore that is being made, beside its place
)

// CreateFile makes a new file keystore in dir, 0700: an age X25519 identity wrapped by scrypt under passphrase.
// It comes into being whole, and one that is there already is never replaced. Call it before the first Put
// to a store that Probe calls absent. workFactor 0 is what goes with the passphrase: one that was typed costs 64 MiB
// and about a third of a second at each opening, a random one next to nothing. Tests use less.
func CreateFile(dir string, passphrase credential.Secret, workFactor int) error {
	if workFactor < 0 || workFactor > maxScrypt {
		return fmt.Errorf("scrypt work factor %d is not within 1 and %d", workFactor, maxScrypt)
	}
	if err := alreadyIn(dir); err != nil {
		return err
	}
	if passphrase == "" {
		return fail(api.BadRequest, "", "the passphrase of a keystore cannot be empty")
	}
	if workFactor == 0 {
		workFactor = factorFor(passphrase)
	}
	if err := enoughMemory(workFactor); err != nil {
		return err
	}
	parent := filepath.Dir(dir)
	if err := os.MkdirAll(parent, 0o700); err != nil {
		return fail(api.KeystoreFailed, "", "the keystore has no place: %w", err)
	}
	fresh, err := os.MkdirTemp(parent, unfinished) // 0700
	if err != nil {
		return fail(api.KeystoreFailed, "", "the keystore has no place: %w", err)
	}
	defer os.RemoveAll(fresh) // gone already when all went well
	if err := fillKeystore(fresh, passphrase, workFactor); err != nil {
		if err := alreadyIn(dir); err != nil { // another call was faster, and swept this one's
			return err
		}
		return fail(api.KeystoreFailed, "", "the keystore was not created: %w", err)
	}
	if info, err := os.Lstat(dir); err == nil && info.IsDir() {
		os.Remove(dir) // an empty one; a rename to anything else fails
	}
	if err := os.Rename(fresh, dir); err != nil {
		if err := alreadyIn(dir); err != nil {
			return err
		}
		return fail(api.KeystoreFailed, "move it away first", "%s is in the new keystore's way: %w", dir, err)
	}
	discardUnfinished(dir)
	return nil
}

func alreadyIn(dir string) error {
	if _, err := os.Lstat(filepath.Join(dir, identityFile)); err != nil {
		return nil
	}
	return fail(api.KeystoreFailed, "tcred add stores a key in it", "there is a keystore in %s already", dir)
}

// discardUnfinished removes what killed calls of CreateFile left beside a keystore. It is safe without a lock: where
// there is a keystore, no other can take its place, so that a call that still runs is bound to fail.
func discardUnfinished(dir string) {
	removeAll(filepath.Dir(dir), unfinished)
}

func fillKeystore(dir string, passphrase credential.Secret, workFactor int) error {
	identity, err := age.GenerateX25519Identity()
	if err != nil {
		return err
	}
	wrapped, err := wrapIdentity(identity, passphrase, workFactor)
	if err != nil {
		return err
	}
	if err := writeAtomic(filepath.Join(dir, identityFile), wrapped); err != nil {
		return err
	}
	return writeAtomic(filepath.Join(dir, recipientFile), []byte(identity.Recipient().String()+"\n"))
}

// wrapIdentity is the content of an identity file.
func wrapIdentity(identity *age.X25519Identity, passphrase credential.Secret, workFactor int) ([]byte, error) {
	wrap, err := age.NewScryptRecipient(passphrase.Reveal())
	if err != nil {
		return nil, err
	}
	wrap.SetWorkFactor(workFactor)
	return seal(identity.String()+"\n", wrap)
}

// file keeps each key in its own age file, encrypted to the identity that opener opens.
type file struct {
	*opener
}

func openFile(o Options) Store {
	return file{&opener{dir: o.FileDir, passphraseFile: o.PassphraseFile, notify: o.Notify, unwrap: unwrapIdentity}}
}

func (file) Name() string { return "file" }

func (file) ReadOnly() bool { return false }

func (f file) path(name string) string { return filepath.Join(f.dir, keyPrefix+name+keySuffix) }

// Get opens the keystore if it can find the passphrase. The cost of that is paid once a process.
func (f file) Get(ctx context.Context, name string) (Key, error) {
	if err := f.ready(name); err != nil {
		return Key{}, err
	}
	path := f.path(name)
	sealed, err := readSmall(path)
	if errors.Is(err, fs.ErrNotExist) {
		return Key{}, noKey("the file keystore", name, "tcred add "+name)
	}
	if err != nil {
		return Key{}, fail(api.KeystoreFailed, "", "key %q cannot be read: %w", name, err)
	}
	identity, err := f.open(ctx, "", so("read", name))
	if err != nil {
		return Key{}, err
	}
	text, err := unseal(sealed, identity)
	if err != nil {
		return Key{}, fail(api.KeystoreFailed, "tcred add "+name+" --replace", "%s is damaged or of another keystore, so key %q cannot be read", path, name)
	}
	k, err := ParseKey(text)
	if err != nil {
		return Key{}, fail(api.KeystoreFailed, "tcred add "+name+" --replace", "%s holds no key: %w", path, err)
	}
	return k, nil
}

// discardTemps removes what killed writers left: an encrypted key that nobody would find, for one. Whoever calls Put or
// Delete holds the index's lock, so no other writer lives. One that took no lock would fail at its rename, and say so.
func (f file) discardTemps() {
	removeAll(f.dir, tempFiles)
	discardUnfinished(f.dir)
}

// Put needs no passphrase, but a keystore: CreateFile makes it.
func (f file) Put(_ context.Context, name string, k Key) error {
	if err := f.ready(name); err != nil {
		return err
	}
	text, err := encodePair(k)
	if err != nil {
		return err
	}
	f.discardTemps()
	path := filepath.Join(f.dir, recipientFile)
	public, err := readSmall(path)
	if err != nil {
		return fail(api.KeystoreFailed, "", "key %q was not stored: %w", name, err)
	}
	recipient, err := age.ParseX25519Recipient(strings.TrimSpace(string(public)))
	if err != nil {
		return fail(api.KeystoreFailed, "", "key %q was not stored: %s is damaged", name, path)
	}
	sealed, err := seal(text, recipient)
	if err == nil {
		err = writeAtomic(f.path(name), sealed)
	}
	if err != nil {
		return fail(api.KeystoreFailed, "", "key %q was not stored: %w", name, err)
	}
	return nil
}

func (f file) Delete(_ context.Context, name string) error {
	if err := f.ready(name); err != nil {
		return err
	}
	f.discardTemps()
	err := os.Remove(f.path(name))
	if errors.Is(err, fs.ErrNotExist) {
		return noKey("the file keystore", name, "")
	}
	if err != nil {
		return fail(api.KeystoreFailed, "", "key %q was not removed: %w", name, err)
	}
	return nil
}

func (f file) List(context.Context) ([]string, error) {
	if _, err := f.stamp(); err != nil {
		return nil, err
	}
	return listNames(f.dir, keyPrefix, keySuffix)
}

func (f file) Probe(ctx context.Context) error { return f.Unlock(ctx, "") }

// Unlock opens the keystore with passphrase. One that is open stays open, but a wrong passphrase is an error all the same.
func (f file) Unlock(ctx context.Context, passphrase credential.Secret) error {
	_, err := f.open(ctx, passphrase, "")
	return err
}

func (f file) ready(name string) error {
	if err := checkName(name); err != nil {
		return err
	}
	_, err := f.stamp()
	return err
}

func seal(text string, to age.Recipient) ([]byte, error) {
	var out bytes.Buffer
	w, err := age.Encrypt(&out, to)
	if err != nil {
		return nil, err
	}
	if _, err := io.WriteString(w, text); err != nil {
		return nil, err
	}
	err = w.Close()
	return out.Bytes(), err
}

func unseal(sealed []byte, with age.Identity) (string, error) {
	r, err := age.Decrypt(bytes.NewReader(sealed), with)
	if err != nil {
		return "", err
	}
	text, err := io.ReadAll(r)
	return string(text), err
}
