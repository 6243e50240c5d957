package cli

import (
	"github.com/tcred/tcred/api"
	"github.com/tcred/tcred/internal/place/dirs"
	"github.com/tcred/tcred/internal/profile"
	"github.com/tcred/tcred/keystore"
)

// keystore hardens this process, which is to hold a permanent key or a passphrase, and finds the keystore.
func (a *app) keystore() (dirs.Places, *profile.Set, keystore.Store, error) {
	harden()
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
