package cli

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/tcred/tcred/api"
	"github.com/tcred/tcred/internal/cmdline"
	"github.com/tcred/tcred/internal/keys"
	"github.com/tcred/tcred/internal/plaintext"
	"github.com/tcred/tcred/internal/profile"
	"github.com/tcred/tcred/internal/say"
	"github.com/tcred/tcred/internal/service"
	"github.com/tcred/tcred/keystore"
)

// addOptions are what tcred add is asked for.
type addOptions struct {
	name     string // of the key
	secretID string
	stdin    bool   // the SecretKey comes on stdin
	from     string // "env", "tccli", "tccli:P"
	replace  bool
	noVerify bool
}

func (a *app) addCmd() *cobra.Command {
	var o addOptions
	cmd := &cobra.Command{
		Use:   "add [KEY]",
		Short: "Put your permanent key into the keystore",
		Long: `Add asks for a SecretId and its SecretKey, neither of them shown, tries them at Tencent Cloud and
puts them into the keystore under a name, "default" if you give none. What it tries: who the key
is, and whether it may issue temporary credentials (one that grants nothing). If anything fails,
nothing is stored. A keystore that is read-only (dir, env) has its key already: add tries it and
notes whose it is.

There is no flag for the SecretKey: arguments can be seen by every process of the machine and
stay in the shell's history.`,
		Example: `  tcred add
  tcred add work --replace
  tcred add --from tccli:default
  pass tencent | tcred add ci --secret-id AKID... --secret-key-stdin`,
		Args: addArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			o.name = api.DefaultProfile
			if len(args) > 0 {
				o.name = args[0]
			}
			if err := o.check(); err != nil {
				return err
			}
			return a.add(cmd.Context(), o)
		},
	}
	cmd.Flags().StringVar(&o.secretID, "secret-id", "", "the SecretId, so that only the SecretKey is asked for")
	cmd.Flags().BoolVar(&o.stdin, "secret-key-stdin", false, "read the SecretKey from stdin")
	cmd.Flags().StringVar(&o.from, "from", "",
		"take the key from env (TENCENTCLOUD_SECRET_ID and _SECRET_KEY) or tccli[:PROFILE]")
	cmd.Flags().BoolVar(&o.replace, "replace", false, "put it in the place of a key of that name")
	cmd.Flags().BoolVar(&o.noVerify, "no-verify", false, "store it untried, without the network")
	cmd.SetFlagErrorFunc(addFlagError)
	return cmd
}

// addArgs takes one name. What may be a secret is not repeated.
func addArgs(_ *cobra.Command, args []string) error {
	for _, arg := range args {
		if keys.LooksSecret(arg) {
			return cmdline.Error("its arguments are in the shell's history now: delete them there; then tcred add, which asks",
				"an argument looks like a SecretId or a SecretKey")
		}
	}
	if len(args) > 1 {
		return cmdline.Error("tcred add --help", "one name at most, not %d arguments", len(args))
	}
	if len(args) == 1 && !api.ValidName(args[0]) {
		return cmdline.Error(api.NameHint, "%q cannot be a key's name", args[0])
	}
	return nil
}

// addFlagError answers --secret-key, which does not exist, with the reason. It repeats no value.
func addFlagError(cmd *cobra.Command, err error) error {
	if strings.HasPrefix(err.Error(), "unknown flag: --secret-key") {
		return cmdline.Error(
			"--secret-key-stdin reads it from stdin; without it, tcred add asks; is it in the shell's history now?",
			"no --secret-key: a secret in an argument can be seen by every process")
	}
	return cmdline.FlagError(cmd, err)
}

// check finds flags that do not go together.
func (o addOptions) check() error {
	switch {
	case o.from != "" && (o.stdin || o.secretID != ""):
		return cmdline.Error("", "--from brings SecretId and SecretKey: leave out --secret-id and --secret-key-stdin")
	case o.stdin && o.secretID == "":
		return cmdline.Error("tcred add --secret-id AKID... --secret-key-stdin", "--secret-key-stdin needs --secret-id")
	}
	return nil
}

// adding is one run of tcred add.
type adding struct {
	keys.Addition
	options addOptions
	set     *profile.Set
	locked  bool // the file keystore, until a person opened it in this process
}

// add tries a key and stores it, or leaves everything as it was.
func (a *app) add(ctx context.Context, o addOptions) error {
	p, set, store, err := a.keystore()
	if err != nil {
		return err
	}
	w := &adding{options: o, set: set}
	w.Addition = keys.Addition{Store: store, Index: indexOf(p), Name: o.name, Replace: o.replace}
	key, entry, err := a.candidate(ctx, w)
	if err == nil {
		err = w.Put(ctx, key, entry)
	} else {
		err = w.NothingStored(err)
	}
	if err != nil && ctx.Err() != nil {
		fmt.Fprint(a.err, say.Text(api.AsError(err)))
		return exitStatus(say.ExitFailed)
	}
	if err != nil {
		return err
	}
	a.introduce(ctx, w, entry)
	if source, profile, _ := strings.Cut(o.from, ":"); source == "tccli" {
		path, _ := plaintext.TCCLIPath(profile) // the key was read from there
		a.warn("it still lies in plaintext in %s", path)
	}
	a.reloadDaemon(ctx)
	return nil
}

// candidate is the key to store and its entry for the index. Nothing is stored yet.
func (a *app) candidate(ctx context.Context, w *adding) (keystore.Key, keystore.Entry, error) {
	key, err := a.askAll(ctx, w)
	if err != nil {
		return keystore.Key{}, keystore.Entry{}, err
	}
	if w.options.noVerify {
		return key, keys.Untried(w.set, w.Name, key), nil
	}
	entry, err := keys.Verify(ctx, w.set, w.Name, key)
	return key, entry, err
}

// askAll asks a person for what is missing: the keystore's passphrase, then the key. What they type or paste ahead
// while a passphrase is tried is not shown either.
func (a *app) askAll(ctx context.Context, w *adding) (keystore.Key, error) {
	restore, err := a.terminal().Mute()
	if err != nil {
		return keystore.Key{}, err
	}
	defer restore()
	if err := a.prepare(ctx, w); err != nil {
		return keystore.Key{}, err
	}
	if err := w.Look(ctx); err != nil {
		return keystore.Key{}, err
	}
	return a.newKeyOf(ctx, w.Store, w.options)
}

// prepare opens the keystore if a person is there, and makes sure that it can be used, before anything is asked.
func (a *app) prepare(ctx context.Context, w *adding) error {
	w.locked = w.Store.Name() == "file" && api.CodeOf(w.Store.Probe(ctx)) == api.KeystoreLocked
	if err := a.openStore(ctx, w.set); err != nil {
		return err
	}
	return lockedHere(w.set, w.Store.Probe(ctx))
}

// introduce says who the key is.
func (a *app) introduce(ctx context.Context, w *adding, e keystore.Entry) {
	verb := "stored in"
	if w.Store.ReadOnly() {
		verb = "noted; it stays in"
	}
	place := keys.Title(w.Store)
	if c, err := w.set.Config(); err == nil {
		place = keys.Place(w.Store, c)
	}
	a.tell("key %q %s %s: %s", e.Name, verb, place, e.Describe())
	if e.Type == keystore.IdentityRoot {
		a.warn("this is the key of a root account, which may do everything; a sub-account's is better, " +
			"and its credentials last 36h, not 2h")
	}
	target := " "
	if e.Name != api.DefaultProfile {
		target = " " + e.Name + " "
	}
	switch {
	case w.Store.Name() == "env": // of this process alone
		a.tell("now: tcred exec --no-daemon%s-- COMMAND, or tcred daemon from this same shell", target)
	case w.locked && !service.HasKeystoreOpen(ctx): // the passphrase opened it in this process alone
		a.tell("now: tcred unlock, then tcred exec%s-- COMMAND", target)
	default:
		a.tell("now: tcred exec%s-- COMMAND", target)
	}
}

// reloadDaemon tells a daemon that runs of a change, so that it need not wait until it looks by itself.
func (a *app) reloadDaemon(ctx context.Context) {
	if err := a.running().Reload(ctx); err != nil && api.CodeOf(err) != api.NoDaemon {
		a.warn("the daemon that runs did not take it up: %v", err)
	}
}
