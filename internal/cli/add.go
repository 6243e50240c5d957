package cli

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/tcred/tcred/api"
	"github.com/tcred/tcred/credential"
	"github.com/tcred/tcred/internal/cmdline"
	"github.com/tcred/tcred/internal/keys"
	"github.com/tcred/tcred/internal/plaintext"
	"github.com/tcred/tcred/internal/profile"
	"github.com/tcred/tcred/internal/say"
	"github.com/tcred/tcred/internal/service"
	"github.com/tcred/tcred/internal/tty"
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
	other    bool // the key may be of another account than the one whose place it takes
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

Both may be pasted at once: "ID KEY" on one line, or what the console's SecretKey.csv holds. If Tencent
Cloud refuses one of them, only that one is asked for again.

--replace puts a key in the place of another. If it is of another account, or nobody knows whether it is,
all that uses the old one would act for somebody else: add asks first, or needs --other-account. Then it
says until when the old key's credentials live and where it is disabled.

The file keystore's passphrase is asked for once, and handed to the daemon, which keeps the keystore
open. Where the daemon has it open already, nothing is asked.

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
	cmd.Flags().BoolVar(&o.other, "other-account", false, "replace a key even by one of another account")
	cmd.Flags().BoolVar(&o.noVerify, "no-verify", false, "store it untried, without the network")
	cmd.SetFlagErrorFunc(addFlagError)
	return cmd
}

// addArgs takes one name. What may be a secret is not repeated.
func addArgs(_ *cobra.Command, args []string) error {
	for _, arg := range args {
		if keystore.LooksSecret(arg) {
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
	options    addOptions
	set        *profile.Set
	pasted     keys.Pasted
	passphrase credential.Secret // that a person typed for the file keystore; "" if nobody had to
}

// add tries a key and stores it, or leaves everything as it was.
func (a *app) add(ctx context.Context, o addOptions) error {
	p, set, store, err := a.keystore()
	if err != nil {
		return err
	}
	w := &adding{options: o, set: set, pasted: keys.Pasted{Given: o.secretID, Say: a.tell}}
	w.Addition = keys.Addition{Store: store, Index: indexOf(p), Name: o.name, Replace: o.replace}
	key, entry, err := a.candidate(ctx, w)
	if err != nil {
		return a.notAdded(ctx, w.NothingStored(err))
	}
	r, err := w.Replacement(ctx, set, entry)
	if err != nil {
		return a.notAdded(ctx, w.NothingStored(err))
	}
	if yes, err := a.agreed(ctx, w, r); err != nil {
		return a.notAdded(ctx, w.NothingStored(err))
	} else if !yes {
		a.tell("nothing was stored, the old key is still there")
		return exitStatus(say.ExitFailed)
	}
	old := r.Remember(ctx, set)
	if err := w.Put(ctx, key, entry); err != nil {
		return a.notAdded(ctx, err)
	}
	a.introduce(w, entry)
	if source, profile, _ := strings.Cut(o.from, ":"); source == "tccli" {
		path, _ := plaintext.TCCLIPath(profile) // the key was read from there
		a.warn("it still lies in plaintext in %s", path)
	}
	a.farewell(ctx, p, r, old)
	a.reloadDaemon(ctx)
	a.nextAfterAdd(w, w.passphrase == "" || a.handOver(ctx, w.passphrase))
	return nil
}

// notAdded is err, which says what is stored now: also to somebody who interrupted the command.
func (a *app) notAdded(ctx context.Context, err error) error {
	if ctx.Err() == nil {
		return err
	}
	fmt.Fprint(a.err, say.Text(api.AsError(err)))
	return exitStatus(say.ExitFailed)
}

// keyTries is how often a person may enter a key that Tencent Cloud refuses.
const keyTries = 3

// candidate is the key to store and its entry for the index. Nothing is stored yet. What a person types or pastes ahead
// while a passphrase or a key is tried is not shown either.
func (a *app) candidate(ctx context.Context, w *adding) (key keystore.Key, entry keystore.Entry, err error) {
	restore, err := a.terminal().Mute()
	if err != nil {
		return keystore.Key{}, keystore.Entry{}, err
	}
	defer restore()
	if err := a.prepare(ctx, w); err != nil {
		return keystore.Key{}, keystore.Entry{}, err
	}
	for try := 1; ; try++ {
		if key, err = a.newKeyOf(ctx, w); err != nil {
			return keystore.Key{}, keystore.Entry{}, err
		}
		if w.options.noVerify {
			return key, keys.Untried(w.set, w.Name, key), nil
		}
		entry, err = keys.Verify(ctx, w.set, w.Name, key)
		if err == nil || try == keyTries || !w.pasted.Forget(keys.WrongHalf(err)) {
			return key, entry, err
		}
		a.warn("%v; once more", err)
	}
}

// prepare makes sure, before anything is asked, that the keystore can be used and the key's name is free. A file
// keystore that the daemon has open is used through the daemon; one that is locked is opened here, if a person is
// there.
func (a *app) prepare(ctx context.Context, w *adding) error {
	locked := w.Store.Name() == "file" && api.CodeOf(w.Store.Probe(ctx)) == api.KeystoreLocked
	switch {
	case locked && service.HasKeystoreOpen(ctx):
		w.Daemon = a.running()
		return w.Look(ctx)
	case locked && tty.Is(a.in):
		err := a.askPassphrase(ctx, func(p credential.Secret) error {
			w.passphrase = p
			return w.Store.Unlock(ctx, p)
		})
		if err != nil {
			return err
		}
	case !locked:
		if err := a.openStore(ctx, w.set); err != nil {
			return err
		}
	}
	err := w.Store.Probe(ctx)
	if locked && api.CodeOf(err) == api.KeystoreLocked {
		e := *api.AsError(err)
		e.Hint = "passphrase_file under [keystore] in config.toml; or tcred unlock, then this again"
		return &e
	}
	if err != nil {
		return err
	}
	return w.Look(ctx)
}

// introduce says who the key is.
func (a *app) introduce(w *adding, e keystore.Entry) {
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
}

// nextAfterAdd says what to do now. open: the daemon can read the key.
func (a *app) nextAfterAdd(w *adding, open bool) {
	target := " "
	if w.Name != api.DefaultProfile {
		target = " " + w.Name + " "
	}
	if !open {
		a.tell("now: tcred unlock, then tcred exec%s-- COMMAND", target)
		return
	}
	a.tell("now: tcred exec%s-- COMMAND", target)
}

// reloadDaemon tells a daemon that runs of a change, so that it need not wait until it looks by itself.
func (a *app) reloadDaemon(ctx context.Context) {
	if err := a.running().Reload(ctx); err != nil && api.CodeOf(err) != api.NoDaemon {
		a.warn("the daemon that runs did not take it up: %v", err)
	}
}
