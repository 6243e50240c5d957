package cli

import (
	"context"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/tcred/tcred/api"
	"github.com/tcred/tcred/client"
	"github.com/tcred/tcred/credential"
	"github.com/tcred/tcred/internal/cmdline"
	"github.com/tcred/tcred/internal/profile"
	"github.com/tcred/tcred/internal/tty"
	"github.com/tcred/tcred/keystore"
)

// unlockOptions are the flags of tcred unlock.
type unlockOptions struct {
	duration time.Duration // how long; 0 is until the daemon ends
	stdin    bool          // the passphrase comes on stdin
}

func (a *app) unlockCmd() *cobra.Command {
	var o unlockOptions
	cmd := &cobra.Command{
		Use:   "unlock",
		Short: "Unlock the keystore",
		Long: `Unlock opens the keystore, so that the daemon can read keys in it. The keychain raises the system's
own password window; of the file keystore it asks the passphrase and hands it to the daemon, which
keeps the keystore open until tcred lock, or for the time that --for gives. Nothing else raises a
prompt behind your back: a locked keystore is an error that says so. Where logout ends the daemon it says
what keeps it.`,
		Example: `  tcred unlock
  tcred unlock --for 8h`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if o.duration < 0 || o.duration == 0 && cmd.Flags().Changed("for") {
				return cmdline.Error("--for 8h", "--for takes a time above zero")
			}
			return a.unlock(cmd.Context(), o)
		},
	}
	cmd.Flags().DurationVar(&o.duration, "for", 0, "lock the file keystore again after this time, such as 8h")
	cmd.Flags().BoolVar(&o.stdin, "passphrase-stdin", false, "read the file keystore's passphrase from stdin")
	return cmd
}

func (a *app) lockCmd() *cobra.Command {
	return &cobra.Command{
		Use:   "lock",
		Short: "Make the daemon forget keys and credentials",
		Long: `Lock makes the daemon forget what it holds, and begin anew with an empty memory: the file keystore's
passphrase is needed again, and cached credentials stay on disk, sealed under their key. Credentials that tools hold already stay
valid until they expire. The system's keychain is not locked: that is the desktop's to do.`,
		Example: "  tcred lock",
		Args:    cobra.NoArgs,
		RunE:    func(cmd *cobra.Command, _ []string) error { return a.lock(cmd.Context()) },
	}
}

func (a *app) unlock(ctx context.Context, o unlockOptions) error {
	_, set, store, err := a.keystore()
	if err != nil {
		return err
	}
	if store.Name() != "file" && (o.stdin || o.duration != 0) {
		return cmdline.Error("", "--for and --passphrase-stdin are for the file keystore; config.toml names %q", store.Name())
	}
	switch store.Name() {
	case "file":
		return a.unlockFile(ctx, set, store, o)
	case "keychain":
		if err := store.Unlock(ctx, ""); err != nil {
			return noWindow(err)
		}
		a.reloadDaemon(ctx) // for a moment it would go on to answer that the keychain is locked
		a.tell("the keychain is unlocked")
		return nil
	}
	a.tell("keystore %q has nothing to unlock", store.Name())
	return nil
}

// noWindow is why the keychain stays locked, with a cure that is not this very command.
func noWindow(err error) error {
	if code := api.CodeOf(err); code != api.KeystoreLocked && code != api.KeystoreTimeout {
		return err
	}
	e := *api.AsError(err)
	e.Hint = "no password window? run it at a terminal of your desktop session; without a desktop: " +
		"tcred init --keystore file"
	return &e
}

// unlockFile hands the passphrase to the daemon. If config names a file that holds it, the daemon reads that file.
func (a *app) unlockFile(ctx context.Context, set *profile.Set, store keystore.Store, o unlockOptions) error {
	if _, err := store.List(ctx); err != nil { // there is no keystore: do not ask
		return err
	}
	c, err := set.Config()
	if err != nil {
		return err
	}
	d := a.daemon()
	if err := sameKeystore(ctx, d, store.Name()); err != nil {
		return err
	}
	earlier := ""
	open := func(passphrase credential.Secret) error { return d.Unlock(ctx, passphrase, o.duration) }
	switch {
	case o.stdin:
		var passphrase credential.Secret
		if passphrase, err = tty.ReadSecret(ctx, a.in, "--passphrase-stdin"); err == nil {
			err = open(passphrase)
		}
	case c.Keystore.PassphraseFile == "" && tty.Is(a.in):
		err = a.askPassphrase(ctx, open)
	default:
		err, earlier = open(""), "; an earlier --for still counts" // only a passphrase ends that time
		if code := api.CodeOf(err); (code == api.WrongPassphrase || code == api.KeystoreFailed) && tty.Is(a.in) {
			a.warn("%v", err)
			err, earlier = a.askPassphrase(ctx, open), ""
		}
	}
	if err != nil {
		return a.stillLocked(err, o)
	}
	until := "until tcred lock, or until the daemon ends"
	if o.duration != 0 {
		until = "until " + time.Now().Add(o.duration).Format(time.DateTime)
	}
	a.tell("the file keystore is unlocked %s%s", until, earlier)
	a.tellLogout(ctx)
	return nil
}

// stillLocked is why the file keystore stays locked, with a cure that is not this very command.
func (a *app) stillLocked(err error, o unlockOptions) error {
	e := *api.AsError(err)
	switch {
	case e.Code == api.KeystoreLocked:
		e.Hint = "run it at a terminal, which asks; in a script tcred unlock --passphrase-stdin < FILE"
	case e.Code == api.WrongPassphrase && o.stdin:
		e.Hint = "at a terminal tcred unlock asks for it"
	case e.Code == api.WrongPassphrase && tty.Is(a.in):
		e.Hint = "nobody can open a keystore whose passphrase is lost: move it away, then tcred init --keystore file " +
			"makes another, and tcred add puts the key into it"
	default:
		return err
	}
	return &e
}

// sameKeystore makes sure that the daemon, which it starts, uses the keystore that this process means.
func sameKeystore(ctx context.Context, d *client.Client, name string) error {
	st, err := d.Status(ctx)
	if err == nil && st.Keystore != name { // it looks at a change of the config once a second
		if err = d.Reload(ctx); err == nil {
			st, err = d.Status(ctx)
		}
	}
	if err != nil || st.Keystore == name {
		return err
	}
	return &api.Error{
		Code: api.KeystoreFailed,
		Message: fmt.Sprintf("the daemon (process %d) uses keystore %q, this shell means %q",
			st.PID, st.Keystore, name),
		Hint: "tcred daemon stop, and the next call starts one by this shell's " + api.EnvKeystore +
			" and config.toml",
	}
}

func (a *app) lock(ctx context.Context) error {
	before, unknown := a.running().Status(ctx)
	switch err := a.running().Lock(ctx); {
	case api.CodeOf(err) == api.NoDaemon:
		a.tell("no daemon runs, so nothing is unlocked")
	case err != nil:
		return err
	case unknown == nil && !a.forgotten(ctx, before.Started):
		a.warn("the daemon is locked, but what it forgot is still in its memory: it has not begun anew; " +
			"tcred daemon stop ends it")
	default:
		a.tell("the daemon forgot every key and credential; what is on disk is sealed")
	}
	return nil
}

// forgotten waits until the daemon has begun anew, which empties its memory, or is gone. It answers who waits first.
func (a *app) forgotten(ctx context.Context, began time.Time) bool {
	ctx, cancel := context.WithTimeout(ctx, api.ClientTimeout)
	defer cancel()
	for ctx.Err() == nil {
		st, err := a.running().Status(ctx)
		if api.CodeOf(err) == api.NoDaemon || err == nil && !st.Started.Equal(began) {
			return true
		}
		select {
		case <-ctx.Done():
		case <-time.After(5 * time.Millisecond):
		}
	}
	return false
}
