package keys

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"github.com/tcred/tcred/api"
	"github.com/tcred/tcred/credential"
	"github.com/tcred/tcred/internal/human"
	"github.com/tcred/tcred/keystore"
)

// NewPassphrase is where a new passphrase of a file keystore comes from.
type NewPassphrase struct {
	File     string                                           // "" has a person enter it
	Ask      func(context.Context) (credential.Secret, error) // that person; nil where nobody is
	InScript string                                           // the command for where nobody is
	Say      func(format string, args ...any)                 // is told what was made
}

// Get reads the passphrase from the file, makes a random one there if there is no such file, or asks.
func (n NewPassphrase) Get(ctx context.Context) (credential.Secret, error) {
	switch {
	case n.File == "" && n.Ask != nil:
		return n.Ask(ctx)
	case n.File == "":
		return "", &api.Error{
			Code:    api.BadRequest,
			Message: "stdin is not a terminal, so a passphrase for the file keystore cannot be asked for",
			Hint:    n.InScript + " makes one in that file; or run it at a terminal",
		}
	}
	if _, err := os.Lstat(n.File); !errors.Is(err, fs.ErrNotExist) {
		return n.read()
	}
	passphrase, err := keystore.MakePassphrase(n.File)
	if errors.Is(err, fs.ErrExist) { // just now
		return n.read()
	}
	if err == nil {
		n.Say("made a random passphrase in %s; keep it out of the backup that holds the keystore", n.File)
	}
	return passphrase, err
}

// read takes the passphrase of a file that is there.
func (n NewPassphrase) read() (credential.Secret, error) {
	passphrase, err := keystore.ReadPassphrase(n.File)
	if err == nil {
		err = keystore.CheckPassphrase(passphrase)
	}
	return passphrase, err
}

// FileStore is a file keystore that may not be there yet.
type FileStore struct {
	Dir   string
	Fresh NewPassphrase // for a new one
}

// Make makes the keystore, unless there is one. It returns the passphrase that a person entered for it, "" if nobody
// had to. Where there is one already, a passphrase file must open it.
func (f FileStore) Make(ctx context.Context) (entered credential.Secret, err error) {
	store, err := keystore.Open(keystore.Options{Backend: "file", FileDir: f.Dir, PassphraseFile: f.Fresh.File})
	if err != nil {
		return "", err
	}
	_, err = store.List(ctx)
	if err == nil {
		f.Fresh.Say("there is a file keystore in %s already; it stays as it is", f.Dir)
		return "", f.opens(ctx, store)
	}
	if api.CodeOf(err) != api.KeystoreAbsent {
		return "", err
	}
	passphrase, err := f.Fresh.Get(ctx)
	if err != nil {
		return "", err
	}
	if err := keystore.CreateFile(f.Dir, passphrase, 0); err != nil {
		return "", err
	}
	f.Fresh.Say("made a file keystore in %s; without its passphrase nobody can open it, not even you", f.Dir)
	if f.Fresh.File != "" {
		return "", nil
	}
	return passphrase, nil
}

// opens is the error for a passphrase file that does not open the keystore that is there.
func (f FileStore) opens(ctx context.Context, store keystore.Store) error {
	if f.Fresh.File == "" {
		return nil
	}
	err := store.Probe(ctx)
	_, missing := os.Stat(f.Fresh.File)
	if !errors.Is(missing, fs.ErrNotExist) && api.CodeOf(err) != api.WrongPassphrase {
		return err
	}
	return &api.Error{
		Code:    api.WrongPassphrase,
		Message: fmt.Sprintf("%s does not hold the passphrase of the keystore that is there", f.Fresh.File),
		Hint:    "tcred init --keystore file, then tcred passphrase --passphrase-file " + human.ShellWord(f.Fresh.File),
	}
}
