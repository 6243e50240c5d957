package cli

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/tcred/tcred/api"
	"github.com/tcred/tcred/internal/cmdline"
	"github.com/tcred/tcred/internal/keys"
	"github.com/tcred/tcred/internal/place/dirs"
	"github.com/tcred/tcred/internal/profile"
	"github.com/tcred/tcred/internal/tty"
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
				return cmdline.Error("tcred list shows the keys", "which key? tcred remove KEY")
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

func (a *app) remove(ctx context.Context, name string, force bool) error {
	p, err := dirs.Find()
	if err != nil {
		return err
	}
	set := a.profiles(p)
	r, err := keys.FindRemoval(ctx, set, indexOf(p), name)
	if err != nil {
		return err
	}
	if yes, err := a.confirm(ctx, r, force); err != nil || !yes {
		return err
	}
	if err := a.openKeychain(ctx, set, r); err != nil {
		return err
	}
	cleared := a.clearAll(ctx, p, set, r.Profiles)
	done, err := r.Take(ctx)
	if err != nil {
		return err
	}
	a.tell("key %q %s", r.Name, done)
	a.warnOfUsers(set, r)
	for _, c := range cleared {
		a.tell("its credential of profile %q is dropped; at Tencent Cloud it stays valid until %s",
			c.Profile, c.Expires.Local().Format(time.DateTime))
	}
	a.reloadDaemon(ctx)
	return nil
}

// warnOfUsers names the profiles of config.toml that used a key which is gone. The one that it was by itself is gone
// too.
func (a *app) warnOfUsers(set *profile.Set, r keys.Removal) {
	c, err := set.Config()
	if err != nil {
		return
	}
	users := slices.DeleteFunc(slices.Clone(r.Profiles), func(name string) bool { _, declared := c.Profiles[name]; return !declared })
	if len(users) > 0 {
		a.warn("config.toml still has profiles that use it, and fail from now on: %s", strings.Join(users, ", "))
	}
}

// confirm asks the person at the terminal.
func (a *app) confirm(ctx context.Context, r keys.Removal, force bool) (bool, error) {
	if force {
		return true, nil
	}
	if !tty.Is(a.in) {
		return false, cmdline.Error("tcred remove "+r.Name+" --force",
			"stdin is not a terminal, so nobody can say yes; nothing was removed")
	}
	question := fmt.Sprintf("remove key %q (%s)?", r.Name, r.Entry.Describe())
	if len(r.Profiles) > 0 {
		question = fmt.Sprintf("remove key %q (%s), which serves %s?",
			r.Name, r.Entry.Describe(), strings.Join(r.Profiles, ", "))
	}
	yes, err := a.terminal().Yes(ctx, question)
	if err == nil && !yes {
		a.tell("nothing was removed")
	}
	return yes, err
}

// clearAll drops the profiles' cached credentials, by the daemon if it runs, and returns those that there were. One
// that cannot be dropped is of no use to anybody once the key is gone: it is sealed under that key.
func (a *app) clearAll(ctx context.Context, p dirs.Places, set *profile.Set, profiles []string) (
	all []api.ClearedCredential,
) {
	running, here := a.running(), a.broker(p, set)
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

// openKeychain makes sure that the keychain lets go of keys now: the credentials that are dropped next can be replaced
// with a key in it alone. A file keystore need not be open for a key to be removed.
func (a *app) openKeychain(ctx context.Context, set *profile.Set, r keys.Removal) error {
	if r.Store.Name() != "keychain" {
		return nil
	}
	err := a.openStore(ctx, set)
	if err == nil {
		err = r.Store.Probe(ctx)
	}
	if err != nil {
		return r.StillThere(err)
	}
	return nil
}
