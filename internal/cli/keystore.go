package cli

import (
	"context"
	"os"
	"runtime"
	"strings"

	"github.com/tcred/tcred/api"
	"github.com/tcred/tcred/credential"
	"github.com/tcred/tcred/internal/config"
	"github.com/tcred/tcred/internal/place/dirs"
	"github.com/tcred/tcred/internal/plaintext"
	"github.com/tcred/tcred/internal/process"
	"github.com/tcred/tcred/internal/profile"
	"github.com/tcred/tcred/internal/service"
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

// keyInEnvironment reports whether this process's environment has a permanent key, as the keystore "env" reads it.
func keyInEnvironment() bool {
	found, err := plaintext.FromEnvironment(os.Getenv)
	return err == nil && found.Token == ""
}

// keyIsHere reports whether this process has the key that config names in its own environment. A daemon sees another
// one, so what needs the key is done here.
func (a *app) keyIsHere() bool {
	if !keyInEnvironment() {
		return false
	}
	p, err := dirs.Find()
	return err == nil && a.profiles(p).StoreName() == "env"
}

// nameEnvironment is e with another hint where there is no key, or no keychain for one, but a key in this process's
// environment.
func nameEnvironment(e *api.Error) *api.Error {
	noKey := e.Code == api.NoProfile && strings.HasSuffix(e.Hint, config.AddFirst)
	if !noKey && e.Code != api.KeystoreAbsent || !keyInEnvironment() || strings.Contains(e.Hint, "--keystore env") {
		return e
	}
	named := *e
	named.Hint = "tcred init --keystore env takes the key in this environment"
	if e.Code == api.KeystoreAbsent {
		named.Hint += "; else: " + e.Hint
	}
	return &named
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

// handOver gives the passphrase that a person typed to the daemon, which it starts, so that nobody is asked again. It
// reports whether the daemon has the keystore open now; if not, it says why.
func (a *app) handOver(ctx context.Context, passphrase credential.Secret) bool {
	if runtime.GOOS == "windows" { // there is none
		return false
	}
	d := a.daemon()
	err := sameKeystore(ctx, d, "file")
	if err == nil {
		err = d.Unlock(ctx, passphrase, 0)
	}
	if err != nil {
		a.warn("the daemon was not given the passphrase: %v", err)
		return false
	}
	a.tell("the daemon has the file keystore open now, until tcred lock")
	a.tellLogout(ctx)
	return true
}

// tellLogout says what keeps the daemon, and the keystore open, where logout would end it.
func (a *app) tellLogout(ctx context.Context) {
	if kept := service.KeptAfterLogout(ctx); kept != "" {
		a.tell("the daemon ends when you log out; to keep it: %s", kept)
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
