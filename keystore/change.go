package keystore

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/tcred/tcred/api"
	"github.com/tcred/tcred/credential"
)

// ChangePassphrase puts a file keystore, which must be open, under another passphrase. Its keys stay as they are, and
// whoever has it open keeps it open. Hold the index's lock.
//
// between, which may be nil, is called when both passphrases open the keystore: to write down the new one. If it fails,
// or the process is killed before it, the old one opens the keystore as ever. If the process is killed later, both do,
// until the next change.
func ChangePassphrase(ctx context.Context, store Store, to credential.Secret, between func() error) error {
	f, isFile := store.(file)
	switch {
	case !isFile:
		return fail(api.BadRequest, "", "keystore %q has no passphrase", store.Name())
	case to == "":
		return fail(api.BadRequest, "", "the passphrase of a keystore cannot be empty")
	}
	before := f.lastOpening()
	identity, err := f.open(ctx, "", "")
	if err != nil {
		return err
	}
	if now := f.lastOpening(); before.identity != nil && before.version != now.version {
		return fail(api.KeystoreFailed, "tcred passphrase", "something else changed the file keystore just now")
	}
	if err := f.finishChange(f.lastOpening().path); err != nil {
		return err
	}
	if err := enoughMemory(factorFor(to)); err != nil {
		return err
	}
	encrypted, err := encryptIdentity(identity, to, factorFor(to))
	next := filepath.Join(f.dir, nextFile)
	if err == nil {
		err = writeAtomic(next, encrypted)
	}
	if err != nil {
		return fail(api.KeystoreFailed, "", "the passphrase was not changed: %w", err)
	}
	if between != nil {
		if err := between(); err != nil {
			os.Remove(next) // one that stays is replaced by the next change
			return err
		}
	}
	err = writeAtomic(filepath.Join(f.dir, identityFile), encrypted)
	if err == nil {
		err = os.Remove(next)
	}
	if err != nil {
		return fail(api.KeystoreFailed, "once that is mended: tcred passphrase",
			"the new passphrase opens the file keystore, but the old one does still: %w", err)
	}
	return nil
}

// finishChange ends a change that was cut short after the new passphrase was written down. opened is the file that
// opened the keystore: where it is the one of the new passphrase, it takes the old one's place, before it gives way
// itself.
func (f file) finishChange(opened string) error {
	if filepath.Base(opened) != nextFile {
		return nil
	}
	if err := os.Rename(opened, filepath.Join(f.dir, identityFile)); err != nil {
		return fail(api.KeystoreFailed, "", "the passphrase was not changed: %w", err)
	}
	return nil
}

// identityFiles are those that may open the keystore in dir, the one that nearly always does first.
func identityFiles(dir string) []string {
	files := []string{filepath.Join(dir, identityFile)}
	next := filepath.Join(dir, nextFile)
	if _, err := os.Lstat(next); !errors.Is(err, fs.ErrNotExist) {
		files = append(files, next)
	}
	return files
}
