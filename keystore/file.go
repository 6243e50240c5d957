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

	"filippo.io/age"

	"github.com/tcred/tcred/api"
	"github.com/tcred/tcred/credential"
	"github.com/tcred/tcred/internal/disk"
)

// The files of a file keystore. The prefix keeps a key's file from having the name of another file, whatever the key's
// name is. The identity's public half is in no file: who wrote there could have keys encrypted to themselves.
const (
	identityFile = "identity.age"  // the age X25519 identity, encrypted by scrypt with the passphrase
	nextFile     = "identity.next" // the same with another passphrase, while that is being changed
	keyPrefix    = "key."
	keySuffix    = ".age"
)

// unfinished is the pattern of the names that a keystore's directory has while it is made, beside its place.
const unfinished = ".keystore-*"

// CreateFile makes a new file keystore in dir, 0700: an age X25519 identity, encrypted by scrypt with the passphrase.
// Call it before the first Put to a store that Probe calls absent. It never replaces a keystore, and an interrupted
// call leaves none. workFactor 0 is what goes with the passphrase: with one that was typed an opening takes 64 MiB and
// about a third of a second, with a random one next to nothing. Tests use less.
func CreateFile(dir string, passphrase credential.Secret, workFactor int) error {
	if workFactor < 0 || workFactor > maxScrypt {
		return fmt.Errorf("scrypt work factor %d is not between 0 and %d", workFactor, maxScrypt)
	}
	if err := refuseExisting(dir); err != nil {
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
		return fail(api.KeystoreFailed, "", "the keystore was not created: %w", err)
	}
	temp, err := os.MkdirTemp(parent, unfinished) // 0700
	if err != nil {
		return fail(api.KeystoreFailed, "", "the keystore was not created: %w", err)
	}
	defer os.RemoveAll(temp) // after the rename there is none
	if err := fillKeystore(temp, passphrase, workFactor); err != nil {
		if err := refuseExisting(dir); err != nil { // another call was faster, and removed temp
			return err
		}
		return fail(api.KeystoreFailed, "", "the keystore was not created: %w", err)
	}
	if info, err := os.Lstat(dir); err == nil && info.IsDir() {
		os.Remove(dir) // only an empty one goes; onto anything else the rename fails
	}
	if err := os.Rename(temp, dir); err != nil {
		if err := refuseExisting(dir); err != nil {
			return err
		}
		return fail(api.KeystoreFailed, "move it away first", "%s is in the new keystore's way: %w", dir, err)
	}
	discardUnfinished(dir)
	return nil
}

// refuseExisting fails if there is a keystore in dir.
func refuseExisting(dir string) error {
	if _, err := os.Lstat(filepath.Join(dir, identityFile)); err != nil {
		return nil
	}
	return fail(api.KeystoreFailed, "tcred add stores a key in it", "there is a keystore in %s already", dir)
}

// discardUnfinished removes what killed calls of CreateFile left beside a keystore. It needs no lock: as the keystore
// is there, a call that still runs will fail anyway.
func discardUnfinished(dir string) {
	removeAll(filepath.Dir(dir), unfinished)
}

// fillKeystore writes the files of a keystore without keys.
func fillKeystore(dir string, passphrase credential.Secret, workFactor int) error {
	identity, err := age.GenerateX25519Identity()
	if err != nil {
		return err
	}
	encrypted, err := encryptIdentity(identity, passphrase, workFactor)
	if err != nil {
		return err
	}
	return writeAtomic(filepath.Join(dir, identityFile), encrypted)
}

// encryptIdentity is the content of an identity file.
func encryptIdentity(identity *age.X25519Identity, passphrase credential.Secret, workFactor int) ([]byte, error) {
	holder, err := age.NewScryptRecipient(passphrase.Reveal())
	if err != nil {
		return nil, err
	}
	holder.SetWorkFactor(workFactor)
	return encrypt(identity.String()+"\n", holder)
}

// file keeps each key in an age file of its own. All are encrypted to the identity that the opener opens.
type file struct {
	*opener
}

func openFile(o Options) Store {
	return file{&opener{dir: o.FileDir, passphraseFile: o.PassphraseFile, notify: o.Notify, decrypt: decryptIdentity}}
}

func (file) Name() string { return "file" }

func (file) ReadOnly() bool { return false }

func (f file) path(name string) string { return filepath.Join(f.dir, keyPrefix+name+keySuffix) }

// Get opens the keystore if it is locked and the passphrase can be found.
func (f file) Get(ctx context.Context, name string) (Key, error) {
	if err := f.check(name); err != nil {
		return Key{}, err
	}
	path := f.path(name)
	encrypted, err := readSmall(path)
	if errors.Is(err, fs.ErrNotExist) {
		return Key{}, noKey("the file keystore", name, "tcred add "+name)
	}
	if err != nil {
		return Key{}, fail(api.KeystoreFailed, "", "key %q cannot be read: %w", name, err)
	}
	identity, err := f.open(ctx, "", consequence(name, "read"))
	if err != nil {
		return Key{}, err
	}
	text, err := decrypt(encrypted, identity)
	if err != nil {
		return Key{}, fail(api.KeystoreFailed, "tcred add "+name+" --replace",
			"%s is damaged or of another keystore%s", path, consequence(name, "read"))
	}
	k, err := ParseKey(text)
	if err != nil {
		return Key{}, fail(api.KeystoreFailed, "tcred add "+name+" --replace", "%s holds no key: %w", path, err)
	}
	return k, nil
}

// discardTemps removes what killed writers left, such as an encrypted key that nobody would find. The caller of Put or
// Delete holds the index's lock, so nobody else is writing. A writer without the lock would fail at its rename.
func (f file) discardTemps() {
	removeAll(f.dir, tempFiles)
	discardUnfinished(f.dir)
}

// Put opens the keystore as Get does: a key is encrypted to the identity that will open it. There must be a keystore,
// which CreateFile makes. If Put fails, what was there before is there still.
func (f file) Put(ctx context.Context, name string, k Key) error {
	if err := f.check(name); err != nil {
		return err
	}
	text, err := encodePair(k)
	if err != nil {
		return err
	}
	identity, err := f.open(ctx, "", consequence(name, "stored"))
	if err != nil {
		return err
	}
	f.discardTemps()
	encrypted, err := encrypt(text, identity.Recipient())
	if err == nil {
		err = putChecked(f.path(name), encrypted, identity, text)
	}
	if err != nil {
		return fail(api.KeystoreFailed, "", "key %q was not stored: %w", name, err)
	}
	return nil
}

// putChecked makes encrypted the file at path, if identity opens what was written, and finds text in it.
func putChecked(path string, encrypted []byte, identity *age.X25519Identity, text string) error {
	return disk.WriteChecked(path, tempFiles, encrypted, func(written string) error {
		data, err := readSmall(written)
		if err != nil {
			return err
		}
		if got, err := decrypt(data, identity); err != nil || got != text {
			return errors.New("what was written does not read back")
		}
		return nil
	})
}

// Keep remembers what is under a name now. restore puts exactly that back, whatever was put or deleted since.
func (f file) Keep(name string) (restore func() error, err error) {
	path := f.path(name)
	old, err := readSmall(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return func() error {
			if err := os.Remove(path); !errors.Is(err, fs.ErrNotExist) {
				return err
			}
			return nil
		}, nil
	case err != nil:
		return nil, fail(api.KeystoreFailed, "", "key %q cannot be read: %w", name, err)
	}
	return func() error {
		if now, err := readSmall(path); err == nil && bytes.Equal(now, old) {
			return nil
		}
		return writeAtomic(path, old)
	}, nil
}

func (f file) Delete(_ context.Context, name string) error {
	if err := f.check(name); err != nil {
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
	if _, err := f.checkIdentity(); err != nil {
		return nil, err
	}
	return listNames(f.dir, keyPrefix, keySuffix)
}

func (f file) Probe(ctx context.Context) error { return f.Unlock(ctx, "") }

// Unlock opens the keystore with passphrase. A wrong passphrase is an error even if the keystore is open, and leaves it
// open.
func (f file) Unlock(ctx context.Context, passphrase credential.Secret) error {
	_, err := f.open(ctx, passphrase, "")
	return err
}

// check fails for what cannot be a key's name, and if there is no keystore.
func (f file) check(name string) error {
	if err := checkName(name); err != nil {
		return err
	}
	_, err := f.checkIdentity()
	return err
}

func encrypt(text string, to age.Recipient) ([]byte, error) {
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

func decrypt(encrypted []byte, with age.Identity) (string, error) {
	r, err := age.Decrypt(bytes.NewReader(encrypted), with)
	if err != nil {
		return "", err
	}
	text, err := io.ReadAll(r)
	return string(text), err
}
