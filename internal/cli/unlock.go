package cli

import (
	"context"
	"time"

	"github.com/spf13/cobra"

	"github.com/tcred/tcred/api"
	"github.com/tcred/tcred/client"
	"github.com/tcred/tcred/credential"
	"github.com/tcred/tcred/internal/profile"
	"github.com/tcred/tcred/keystore"
)

// passphraseTries is how often a person may mistype a passphrase.
const passphraseTries = 3

// unlocking is what tcred unlock is asked for.
type unlocking struct {
	duration time.Duration // 0 is until the daemon ends
	stdin    bool          // the passphrase comes on stdin
}

func (a *app) unlockCmd() *cobra.Command {
	var q unlocking
	cmd := &cobra.Command{
		Use:   "unlock",
		Short: "Unlock the keystore",
		Long: `Unlock opens the keystore, so that the daemon can read keys in it. The keychain raises the system's
own password window; of the file keystore it asks the passphrase and hands it to the daemon, which
keeps the keystore open until tcred lock, or for the time that --for gives. Nothing else raises a
prompt behind your back: a locked keystore is an error that says so.`,
		Example: `  tcred unlock
  tcred unlock --for 8h`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if q.duration < 0 || q.duration == 0 && cmd.Flags().Changed("for") {
				return usage("--for 8h", "--for takes a time above zero")
			}
			return a.unlock(cmd.Context(), q)
		},
	}
	cmd.Flags().DurationVar(&q.duration, "for", 0, "lock the file keystore again after this time, such as 8h")
	cmd.Flags().BoolVar(&q.stdin, "passphrase-stdin", false, "read the file keystore's passphrase from stdin")
	return cmd
}

func (a *app) lockCmd() *cobra.Command {
	return &cobra.Command{
		Use:   "lock",
		Short: "Make the daemon forget keys and credentials",
		Long: `Lock makes the daemon forget what it holds in memory: the file keystore's passphrase is needed again,
and cached credentials stay on disk, sealed under their key. Credentials that tools hold already stay
valid until they expire. The system's keychain is not locked: that is the desktop's to do.`,
		Example: "  tcred lock",
		Args:    cobra.NoArgs,
		RunE:    func(cmd *cobra.Command, _ []string) error { return a.lock(cmd.Context()) },
	}
}

func (a *app) unlock(ctx context.Context, q unlocking) error {
	_, set, store, err := a.keystore()
	if err != nil {
		return err
	}
	if store.Name() != "file" && (q.stdin || q.duration != 0) {
		return usage("", "--for and --passphrase-stdin are for the file keystore; config.toml names %q", store.Name())
	}
	switch store.Name() {
	case "file":
		return a.unlockFile(ctx, set, store, q)
	case "keychain":
		if err := store.Unlock(ctx, ""); err != nil {
			return err
		}
		a.reloadDaemon(ctx) // it remembers for a moment what failed while the keychain was locked
		a.tell("the keychain is unlocked")
		return nil
	}
	a.tell("keystore %q has nothing to unlock", store.Name())
	return nil
}

// unlockFile hands the passphrase to the daemon. Where config names a file that holds it, the daemon reads that.
func (a *app) unlockFile(ctx context.Context, set *profile.Set, store keystore.Store, q unlocking) error {
	if _, err := store.List(ctx); err != nil { // there is none: no reason to ask
		return err
	}
	c, err := set.Config()
	if err != nil {
		return err
	}
	d, earlier := a.daemon(), ""
	open := func(passphrase credential.Secret) error { return d.Unlock(ctx, passphrase, q.duration) }
	switch {
	case q.stdin:
		var passphrase credential.Secret
		if passphrase, err = a.readSecret(ctx, "--passphrase-stdin"); err == nil {
			err = open(passphrase)
		}
	case c.Keystore.PassphraseFile == "" && isTerminal(a.in):
		err = a.askPassphrase(ctx, open)
	default:
		err, earlier = open(""), "; an earlier --for still counts" // only a passphrase lifts it
	}
	if err != nil {
		return err
	}
	if q.duration != 0 {
		a.tell("the file keystore is unlocked until %s%s", time.Now().Add(q.duration).Format(time.DateTime), earlier)
		return nil
	}
	a.tell("the file keystore is unlocked until tcred lock, or until the daemon ends%s", earlier)
	return nil
}

// askPassphrase asks until the passphrase opens the keystore, or the person has had enough tries.
func (a *app) askPassphrase(ctx context.Context, open func(credential.Secret) error) error {
	restore, err := a.mute() // while a passphrase is tried, too
	if err != nil {
		return err
	}
	defer restore()
	for try := 1; ; try++ {
		passphrase, err := a.askHidden(ctx, "passphrase of the file keystore")
		if err != nil {
			return err
		}
		if passphrase == "" {
			return &api.Error{Code: api.KeystoreLocked, Message: "no passphrase was entered, so the file keystore stays locked"}
		}
		err = open(passphrase)
		if api.CodeOf(err) != api.WrongPassphrase || try == passphraseTries {
			return err
		}
		a.warn("%v; once more", err)
	}
}

// openStore opens a locked keystore in this process, if a person is there to do it. Else whoever reads a key will
// say that it is locked.
func (a *app) openStore(ctx context.Context, set *profile.Set) error {
	store, err := set.Store()
	if err != nil {
		return err
	}
	if !isTerminal(a.in) || api.CodeOf(store.Probe(ctx)) != api.KeystoreLocked {
		return nil
	}
	if store.Name() == "file" {
		return a.askPassphrase(ctx, func(p credential.Secret) error { return store.Unlock(ctx, p) })
	}
	return store.Unlock(ctx, "")
}

func (a *app) lock(ctx context.Context) error {
	switch err := new(client.Client).Lock(ctx); {
	case api.CodeOf(err) == api.NoDaemon:
		a.tell("no daemon runs, so nothing is unlocked")
	case err != nil:
		return err
	default:
		a.tell("the daemon forgot every key and credential; what is on disk is sealed")
	}
	return nil
}
