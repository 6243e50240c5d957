package cli

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/tcred/tcred/api"
	"github.com/tcred/tcred/client"
	"github.com/tcred/tcred/internal/config"
	"github.com/tcred/tcred/internal/place/dirs"
	"github.com/tcred/tcred/internal/profile"
	"github.com/tcred/tcred/keystore"
)

func (a *app) removeCmd() *cobra.Command {
	var force bool
	cmd := &cobra.Command{
		Use:   "remove KEY",
		Short: "Remove a key from the keystore",
		Long: `Remove deletes a key and the cached credentials that were issued with it, after a yes. Credentials
that tools hold already stay valid at Tencent Cloud until they expire. The key itself stays as it is in
the CAM console: disable or delete it there if it leaked.`,
		Example: `  tcred remove work
  tcred remove work --force`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) != 1 {
				return usage("tcred list shows the keys", "which key? tcred remove KEY")
			}
			return addArgs(nil, args)
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.remove(cmd.Context(), args[0], force)
		},
	}
	cmd.Flags().BoolVar(&force, "force", false, "do not ask")
	return cmd
}

// removal is one key on its way out.
type removal struct {
	name     string
	store    keystore.Store
	place    string // what store is, in a sentence
	index    keystore.Index
	indexed  bool
	entry    keystore.Entry
	profiles []string // that use the key
}

func (a *app) remove(ctx context.Context, name string, force bool) error {
	p, err := dirs.Find()
	if err != nil {
		return err
	}
	set := a.profiles(p)
	r, err := findRemoval(ctx, set, name)
	if err != nil {
		return err
	}
	r.index = indexOf(p)
	if yes, err := a.confirm(ctx, r, force); err != nil || !yes {
		return err
	}
	if err := a.reach(ctx, set, r); err != nil {
		return err
	}
	cleared := a.clearAll(ctx, p, set, r.profiles)
	if err := a.take(ctx, r); err != nil {
		return err
	}
	for _, c := range cleared {
		a.tell("its credential of profile %q is dropped; at Tencent Cloud it stays valid until %s", c.Profile, c.Expires.Local().Format(time.DateTime))
	}
	a.reloadDaemon(ctx)
	return nil
}

// findRemoval finds the key in the index, or, where an addition was cut short, in the keystore alone.
func findRemoval(ctx context.Context, set *profile.Set, name string) (removal, error) {
	r := removal{name: name}
	keys, err := set.Keys()
	if err != nil {
		return r, err
	}
	if r.store, err = set.Store(); err != nil {
		return r, err
	}
	c, err := set.Config()
	if err != nil {
		return r, err
	}
	r.place = placeOf(r.store, c)
	names := slices.Sorted(maps.Keys(keys))
	if r.entry, r.indexed = keys[name]; !r.indexed {
		if r.entry, err = unlisted(ctx, r.store, name); api.CodeOf(err) == api.NoKey {
			return r, noSuchKey(name, names)
		}
		if err != nil {
			return r, err
		}
		if r.store.ReadOnly() {
			return r, &api.Error{
				Code:    api.KeystoreReadOnly,
				Message: fmt.Sprintf("key %q is in %s, which tcred only reads", name, r.place),
				Hint:    "remove it there",
			}
		}
	}
	for _, n := range c.Names(names) {
		if p, err := c.Profile(n, names); err == nil && p.Key == name {
			r.profiles = append(r.profiles, n)
		}
	}
	return r, nil
}

// unlisted is a key of the keystore that the index does not have. Where the keystore lists its keys it need not be
// open, nor the key whole.
func unlisted(ctx context.Context, store keystore.Store, name string) (keystore.Entry, error) {
	k, err := store.Get(ctx, name)
	if err != nil {
		if names, listing := store.List(ctx); listing == nil && slices.Contains(names, name) {
			err = nil
		}
	}
	return keystore.Entry{Name: name, SecretID: k.ID}, err
}

func noSuchKey(name string, names []string) error {
	return &api.Error{
		Code: api.NoKey, Message: fmt.Sprintf("no key %q%s", name, config.DidYouMean(name, names)), Hint: "tcred list shows the keys",
	}
}

// confirm asks the person at the terminal.
func (a *app) confirm(ctx context.Context, r removal, force bool) (bool, error) {
	if force {
		return true, nil
	}
	if !isTerminal(a.in) {
		return false, usage("tcred remove "+r.name+" --force", "stdin is not a terminal, so nobody can say yes; nothing was removed")
	}
	question := fmt.Sprintf("remove key %q (%s)?", r.name, describe(r.entry))
	if len(r.profiles) > 0 {
		question = fmt.Sprintf("remove key %q (%s), which serves %s?", r.name, describe(r.entry), strings.Join(r.profiles, ", "))
	}
	yes, err := a.askYes(ctx, question)
	if err == nil && !yes {
		a.tell("nothing was removed")
	}
	return yes, err
}

// clearAll drops the profiles' cached credentials, by the daemon if it runs, and says which there were. What cannot
// be dropped is of no use to anybody once the key is gone, which it is sealed under.
func (a *app) clearAll(ctx context.Context, p dirs.Places, set *profile.Set, profiles []string) (all []api.ClearedCredential) {
	running, here := new(client.Client), a.broker(p, set)
	for _, name := range profiles {
		cleared, err := running.Clear(ctx, name)
		if err != nil {
			cleared, err = here.Clear(ctx, name)
		}
		if err != nil {
			a.warn("the cached credential of profile %q was not dropped: %v", name, err)
		}
		all = append(all, cleared.Credentials...)
	}
	return all
}

// reach makes sure that the keychain lets go of keys now, before credentials are dropped that only a key in it can
// replace. A file keystore need not be open for that.
func (a *app) reach(ctx context.Context, set *profile.Set, r removal) error {
	if r.store.Name() != "keychain" {
		return nil
	}
	err := a.openStore(ctx, set)
	if err == nil {
		err = r.store.Probe(ctx)
	}
	if err != nil {
		return stillThere(err, r.name)
	}
	return nil
}

func stillThere(err error, name string) error {
	e := *api.AsError(err)
	e.Message += fmt.Sprintf("; key %q is still there", name)
	return &e
}

// take deletes the key, then what is known of it. An addition of the same name waits its turn.
func (a *app) take(ctx context.Context, r removal) error {
	index, unlock, err := r.index.Lock(ctx)
	if err != nil {
		return stillThere(err, r.name)
	}
	defer unlock()
	where := "removed from " + r.place
	if r.store.ReadOnly() {
		where = "forgotten; it is still in " + r.place + ", which tcred only reads"
	} else if err := r.store.Delete(ctx, r.name); api.CodeOf(err) == api.NoKey {
		where = "forgotten; " + r.place + " did not hold it any more"
	} else if err != nil {
		return stillThere(err, r.name)
	}
	if err := index.Remove(context.WithoutCancel(ctx), r.name); err != nil {
		e := *api.AsError(err)
		e.Message = fmt.Sprintf("key %q is out of the keystore, but not of the list: %s", r.name, err)
		e.Hint = "once that is mended: tcred remove " + r.name
		return &e
	}
	a.tell("key %q %s", r.name, where)
	return nil
}
