package cli

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/tcred/tcred/api"
	"github.com/tcred/tcred/credential"
	"github.com/tcred/tcred/internal/cmdline"
	"github.com/tcred/tcred/internal/config"
	"github.com/tcred/tcred/internal/human"
	"github.com/tcred/tcred/internal/place/dirs"
	"github.com/tcred/tcred/internal/profile"
	"github.com/tcred/tcred/internal/service"
	"github.com/tcred/tcred/internal/tty"
	"github.com/tcred/tcred/keystore"
)

// passphraseOptions are the flags of tcred passphrase.
type passphraseOptions struct {
	file  string // that holds the new one, or is to; "" has a person enter it
	stdin bool   // the present one comes on stdin
}

func (a *app) passphraseCmd() *cobra.Command {
	var o passphraseOptions
	cmd := &cobra.Command{
		Use:   "passphrase",
		Short: "Change the passphrase of the file keystore",
		Long: `Passphrase asks for the passphrase of the file keystore, then twice for another, and puts the keystore
under that one. Its keys stay as they are, and a daemon that has it open keeps it open. Should it be
killed half-way, one of the two opens the keystore, or both do.

--passphrase-file takes the new one from a file, or makes a random one there if there is no such file,
and notes the file in config.toml. Without it a passphrase_file of config.toml is no longer used. A copy
of the keystore from before, as in a backup, still opens with the old passphrase.`,
		Example: `  tcred passphrase
  tcred passphrase --passphrase-file /etc/tcred/passphrase
  tcred passphrase --passphrase-stdin --passphrase-file ./new < old`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return a.passphrase(cmd.Context(), o) },
	}
	cmd.Flags().StringVar(&o.file, "passphrase-file", "", "a file, yours alone, with the new passphrase")
	cmd.Flags().BoolVar(&o.stdin, "passphrase-stdin", false, "read the present passphrase from stdin")
	return cmd
}

func (a *app) passphrase(ctx context.Context, o passphraseOptions) error {
	p, set, store, err := a.keystore()
	if err != nil {
		return err
	}
	if err := o.check(store); err != nil {
		return err
	}
	if _, err := store.List(ctx); err != nil { // there is no keystore: do not ask
		return err
	}
	w, err := o.plan(p, set)
	if err != nil {
		return err
	}
	if err := a.openByOld(ctx, set, store, o); err != nil {
		return err
	}
	fresh, err := a.newPassphrase(o.file, o.inScript(p)).Get(ctx)
	if err != nil {
		return err
	}
	_, unlock, err := indexOf(p).Lock(ctx)
	if err != nil {
		return err
	}
	defer unlock()
	wasOpen := service.HasKeystoreOpen(ctx)
	if err := keystore.ChangePassphrase(ctx, store, fresh, w.Write); err != nil {
		return err
	}
	a.tell("the file keystore in %s has the new passphrase", p.Keys)
	if len(w.Changes) > 0 {
		a.tellWritten(w)
	}
	a.reloadDaemon(ctx)
	if wasOpen && !service.HasKeystoreOpen(ctx) { // by a file that is no longer used
		a.handOver(ctx, fresh)
	}
	return nil
}

// check finds what does not go together, and makes the path absolute.
func (o *passphraseOptions) check(store keystore.Store) error {
	if store.Name() != "file" {
		return cmdline.Error("tcred init --keystore file makes one that has",
			"keystore %q has no passphrase of tcred's", store.Name())
	}
	if o.file == "" {
		return nil
	}
	abs, err := filepath.Abs(o.file)
	if err != nil {
		return fmt.Errorf("finding the passphrase file: %w", err)
	}
	o.file = abs
	return nil
}

// inScript is the command for where no person is.
func (o *passphraseOptions) inScript(p dirs.Places) string {
	command := "tcred passphrase --passphrase-file " + human.ShellWord(passphrasePath(p)+".new")
	if o.stdin {
		command += " --passphrase-stdin < OLD"
	}
	return command
}

// plan is the change of config.toml that goes with the new passphrase: none where neither the old nor the new one is in
// a file.
func (o *passphraseOptions) plan(p dirs.Places, set *profile.Set) (config.Writing, error) {
	c, err := set.Config()
	if err != nil {
		return config.Writing{}, err
	}
	old := c.Keystore.PassphraseFile
	if o.file == "" && old == "" {
		return config.Writing{There: true}, nil
	}
	if _, err := os.Stat(o.file); o.file != "" && o.file == old && !errors.Is(err, fs.ErrNotExist) {
		return config.Writing{}, cmdline.Error("tcred passphrase --passphrase-file "+human.ShellWord(o.file+".new"),
			"%s holds the present passphrase; the new one needs another file", o.file)
	}
	return config.Initial{Backend: "file", PassphraseFile: o.file, NoFile: o.file == ""}.Plan(p.Config)
}

// openByOld opens the keystore in this process by its present passphrase.
func (a *app) openByOld(ctx context.Context, set *profile.Set, store keystore.Store, o passphraseOptions) error {
	open := func(passphrase credential.Secret) error { return store.Unlock(ctx, passphrase) }
	if o.stdin {
		old, err := tty.ReadSecret(ctx, a.in, "--passphrase-stdin")
		if err != nil {
			return err
		}
		return open(old)
	}
	err := store.Probe(ctx)
	if err == nil {
		return nil
	}
	if !tty.Is(a.in) {
		e := *api.AsError(err)
		if e.Code == api.KeystoreLocked {
			e.Hint = "run it at a terminal, which asks; in a script " +
				"tcred passphrase --passphrase-stdin --passphrase-file NEW < OLD"
		}
		return &e
	}
	if c, known := set.Config(); known == nil && c.Keystore.PassphraseFile != "" {
		a.warn("%v", err)
	}
	return a.askPassphrase(ctx, open)
}
