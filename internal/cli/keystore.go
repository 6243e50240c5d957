package cli

import (
	"context"

	"github.com/tcred/tcred/api"
	"github.com/tcred/tcred/credential"
	"github.com/tcred/tcred/internal/place/dirs"
	"github.com/tcred/tcred/internal/process"
	"github.com/tcred/tcred/internal/profile"
	"github.com/tcred/tcred/internal/tty"
	"github.com/tcred/tcred/keystore"
)

// keystore hardens this process, which is to hold a permanent key or a passphrase, and finds the keystore.
func (a *app) keystore() (dirs.Places, *profile.Set, keystore.Store, error) {
	process.Harden()
	p, err := dirs.Find()
	if err != nil {
		return p, nil, nil, err
	}
	set := a.profiles(p)
	store, err := set.Store()
	return p, set, store, err
}

// lockedHere is err with another hint where this process found the file keystore locked. tcred unlock opens it in the
// daemon, which does not help this process.
func lockedHere(set *profile.Set, err error) error {
	store, unknown := set.Store()
	if unknown != nil || store.Name() != "file" || api.CodeOf(err) != api.KeystoreLocked {
		return err
	}
	e := *api.AsError(err)
	e.Hint = "passphrase_file under [keystore] in config.toml, or run it at a terminal, which asks"
	return &e
}

// passphraseTries is how often a person may type a passphrase, the right one included.
const passphraseTries = 3

// askPassphrase asks until the passphrase opens the keystore, or the person has used up their tries.
func (a *app) askPassphrase(ctx context.Context, open func(credential.Secret) error) error {
	terminal := a.terminal()
	restore, err := terminal.Mute() // also while a passphrase is tried
	if err != nil {
		return err
	}
	defer restore()
	for try := 1; ; try++ {
		passphrase, err := terminal.Hidden(ctx, "passphrase of the file keystore")
		if err != nil {
			return err
		}
		if passphrase == "" {
			return &api.Error{
				Code: api.KeystoreLocked, Message: "no passphrase was entered, so the file keystore stays locked",
			}
		}
		err = open(passphrase)
		if api.CodeOf(err) != api.WrongPassphrase || try == passphraseTries {
			return err
		}
		a.warn("%v; once more", err)
	}
}

// openStore opens a locked keystore in this process, if a person is there to do it. If not, whoever reads a key from
// it will say that it is locked.
func (a *app) openStore(ctx context.Context, set *profile.Set) error {
	store, err := set.Store()
	if err != nil {
		return err
	}
	if !tty.Is(a.in) || api.CodeOf(store.Probe(ctx)) != api.KeystoreLocked {
		return nil
	}
	if store.Name() == "file" {
		return a.askPassphrase(ctx, func(p credential.Secret) error { return store.Unlock(ctx, p) })
	}
	return store.Unlock(ctx, "")
}
