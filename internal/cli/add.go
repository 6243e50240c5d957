package cli

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/tcred/tcred/api"
	"github.com/tcred/tcred/client"
	"github.com/tcred/tcred/internal/config"
	"github.com/tcred/tcred/internal/profile"
	"github.com/tcred/tcred/internal/say"
	"github.com/tcred/tcred/keystore"
)

// addition is what tcred add is asked for.
type addition struct {
	name     string // of the key
	secretID string
	stdin    bool   // the SecretKey comes on stdin
	from     string // "env", "tccli", "tccli:P"
	replace  bool
	noVerify bool
}

func (a *app) addCmd() *cobra.Command {
	var q addition
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
			q.name = api.DefaultProfile
			if len(args) > 0 {
				q.name = args[0]
			}
			if err := q.check(); err != nil {
				return err
			}
			return a.add(cmd.Context(), q)
		},
	}
	cmd.Flags().StringVar(&q.secretID, "secret-id", "", "the SecretId, so that only the SecretKey is asked for")
	cmd.Flags().BoolVar(&q.stdin, "secret-key-stdin", false, "read the SecretKey from stdin")
	cmd.Flags().StringVar(&q.from, "from", "", "take the key from env (TENCENTCLOUD_SECRET_ID and _SECRET_KEY) or tccli[:PROFILE]")
	cmd.Flags().BoolVar(&q.replace, "replace", false, "put it in the place of a key of that name")
	cmd.Flags().BoolVar(&q.noVerify, "no-verify", false, "store it untried, without the network")
	cmd.SetFlagErrorFunc(addFlagError)
	return cmd
}

// addArgs takes one name. What may be a secret is not repeated.
func addArgs(_ *cobra.Command, args []string) error {
	for _, arg := range args {
		if looksSecret(arg) {
			return usage("its arguments are in the shell's history now: delete them there; then tcred add, which asks",
				"an argument looks like a SecretId or a SecretKey")
		}
	}
	if len(args) > 1 {
		return usage("tcred add --help", "one name at most, not %d arguments", len(args))
	}
	if len(args) == 1 && !api.ValidName(args[0]) {
		return usage(api.NameHint, "%q cannot be a key's name", args[0])
	}
	return nil
}

// addFlagError answers --secret-key, which does not exist, with the reason. It repeats no value.
func addFlagError(_ *cobra.Command, err error) error {
	message, _, _ := strings.Cut(flagFault(err), " in -") // of a cluster of short flags, which may be anything
	if strings.Contains(message, "--secret-key") {
		return usage("--secret-key-stdin reads it from stdin; without it, tcred add asks; is it in the shell's history now?",
			"no --secret-key: a secret in an argument can be seen by every process")
	}
	return usage("tcred add --help", "%s", message)
}

// check finds flags that do not go together.
func (q addition) check() error {
	switch {
	case q.from != "" && (q.stdin || q.secretID != ""):
		return usage("", "--from brings SecretId and SecretKey: leave out --secret-id and --secret-key-stdin")
	case q.stdin && q.secretID == "":
		return usage("tcred add --secret-id AKID... --secret-key-stdin", "--secret-key-stdin needs --secret-id")
	}
	return nil
}

// add tries a key and stores it, or leaves everything as it was.
func (a *app) add(ctx context.Context, q addition) error {
	p, set, store, err := a.keystore()
	if err != nil {
		return err
	}
	w := vault{store: store, index: indexOf(p)}
	key, entry, err := a.candidate(ctx, set, &w, q)
	if err == nil {
		err = w.keep(ctx, q, key, entry)
	} else {
		err = w.fate(err, q.name, nil)
	}
	if err != nil && ctx.Err() != nil {
		fmt.Fprint(a.err, say.Text(api.AsError(err)))
		return exitStatus(say.ExitFailed)
	}
	if err != nil {
		return err
	}
	a.introduce(ctx, set, w, entry)
	if source, profile, _ := strings.Cut(q.from, ":"); source == "tccli" {
		path, _ := tccliPath(profile) // it was read from there
		a.warn("it still lies in plaintext in %s", path)
	}
	a.reloadDaemon(ctx)
	return nil
}

// candidate is the key to store and what is known of it. It changes nothing but w.old.
func (a *app) candidate(ctx context.Context, set *profile.Set, w *vault, q addition) (keystore.Key, keystore.Entry, error) {
	key, err := a.askAll(ctx, set, w, q)
	if err != nil {
		return keystore.Key{}, keystore.Entry{}, err
	}
	if q.noVerify {
		return key, untried(set, q.name, key), nil
	}
	entry, err := a.verify(ctx, set, q.name, key)
	return key, entry, err
}

// askAll asks a person for what is missing: the keystore's passphrase, then the key. What they type or paste ahead
// while a passphrase is tried is not shown either.
func (a *app) askAll(ctx context.Context, set *profile.Set, w *vault, q addition) (keystore.Key, error) {
	restore, err := a.mute()
	if err != nil {
		return keystore.Key{}, err
	}
	defer restore()
	if err := a.ready(ctx, set, w); err != nil {
		return keystore.Key{}, err
	}
	if err := w.look(ctx, q); err != nil {
		return keystore.Key{}, err
	}
	return a.newKeyOf(ctx, w.store, q)
}

// ready opens the keystore if a person is there, and makes sure that it can be used, before anything is asked.
func (a *app) ready(ctx context.Context, set *profile.Set, w *vault) error {
	w.locked = w.store.Name() == "file" && api.CodeOf(w.store.Probe(ctx)) == api.KeystoreLocked
	if err := a.openStore(ctx, set); err != nil {
		return err
	}
	return lockedHere(set, w.store.Probe(ctx))
}

// introduce says who the key is.
func (a *app) introduce(ctx context.Context, set *profile.Set, w vault, e keystore.Entry) {
	verb := "stored in"
	if w.store.ReadOnly() {
		verb = "noted; it stays in"
	}
	place := titleOf(w.store)
	if c, err := set.Config(); err == nil {
		place = placeOf(w.store, c)
	}
	a.tell("key %q %s %s: %s", e.Name, verb, place, describe(e))
	if e.Type == keystore.IdentityRoot {
		a.warn("this is the key of a root account, which may do everything; a sub-account's is better, and its credentials last 36h, not 2h")
	}
	target := " "
	if e.Name != api.DefaultProfile {
		target = " " + e.Name + " "
	}
	switch {
	case w.store.Name() == "env": // of this process alone
		a.tell("now: tcred exec --no-daemon%s-- COMMAND, or tcred daemon from this same shell", target)
	case w.locked && !openInDaemon(ctx): // the passphrase opened it in this process alone
		a.tell("now: tcred unlock, then tcred exec%s-- COMMAND", target)
	default:
		a.tell("now: tcred exec%s-- COMMAND", target)
	}
}

// describe is one line about a key.
func describe(e keystore.Entry) string {
	text := "SecretId " + keystore.Mask(e.SecretID)
	if who := identityOf(e); who != "" {
		text = fmt.Sprintf("%s, %s", who, text)
	} else {
		text += ", not tried"
	}
	if e.Site != "" {
		text += ", site " + e.Site
	}
	return text
}

func identityOf(e keystore.Entry) string {
	switch e.Type {
	case keystore.IdentityRoot:
		return "root account " + e.AccountID
	case keystore.IdentitySub:
		return fmt.Sprintf("sub-account %s of account %s", e.UserID, e.AccountID)
	}
	return ""
}

// titleOf is a keystore's name in a sentence.
func titleOf(store keystore.Store) string {
	switch store.Name() {
	case "env":
		return "the environment"
	case "file":
		return "the file keystore"
	}
	return "the " + store.Name()
}

// placeOf is titleOf, or the path of a keystore that is a directory of somebody else's.
func placeOf(store keystore.Store, c *config.Config) string {
	if store.Name() == "dir" {
		return cmp.Or(c.Keystore.Dir, os.Getenv(keystore.EnvCredentials))
	}
	return titleOf(store)
}

// reloadDaemon tells a daemon that runs of a change, so that it need not wait until it looks by itself.
func (a *app) reloadDaemon(ctx context.Context) {
	if err := new(client.Client).Reload(ctx); err != nil && api.CodeOf(err) != api.NoDaemon {
		a.warn("the daemon that runs did not take it up: %v", err)
	}
}
