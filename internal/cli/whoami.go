package cli

import (
	"context"
	"os"

	"github.com/spf13/cobra"

	"github.com/tcred/tcred/api"
	"github.com/tcred/tcred/internal/cmdline"
	"github.com/tcred/tcred/internal/human"
	"github.com/tcred/tcred/internal/keys"
	"github.com/tcred/tcred/internal/place/dirs"
	"github.com/tcred/tcred/internal/plaintext"
	"github.com/tcred/tcred/internal/profile"
	"github.com/tcred/tcred/internal/table"
	"github.com/tcred/tcred/internal/tty"
	"github.com/tcred/tcred/keystore"
)

// whoamiOptions say whose credential tcred whoami asks about: a profile's unless key or env is set.
type whoamiOptions struct {
	key  string // a permanent key's name
	env  bool   // what the environment holds
	json bool
}

func (a *app) whoamiCmd() *cobra.Command {
	var o whoamiOptions
	cmd := &cobra.Command{
		Use:   "whoami [PROFILE]",
		Short: "Ask Tencent Cloud who a credential is",
		Long: `Whoami asks STS (GetCallerIdentity) whom it takes the profile's credential for: the answer's five
fields and the request's id. --key asks about a permanent key itself, --env about the credentials that
lie in the environment, as tools started here would use them.` + profileHelp,
		Example: `  tcred whoami
  tcred whoami upload --json
  tcred whoami --key work
  tcred exec upload -- tcred whoami --env`,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) > 1 {
				return cmdline.Error("tcred whoami --help", "one profile at a time")
			}
			byKey := cmd.Flags().Changed("key")
			if o.env && byKey || (o.env || byKey) && (len(args) > 0 || cmd.Flags().Changed("profile")) {
				return cmdline.Error("tcred whoami --help", "PROFILE, --key and --env exclude each other")
			}
			if byKey && human.LooksSecret(o.key) {
				return looksSecret()
			}
			if byKey && !api.ValidName(o.key) {
				return cmdline.Error(api.NameHint, "%q cannot be a key's name", o.key)
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			id, err := a.identity(cmd, o, args)
			if err != nil {
				return err
			}
			if o.json {
				return a.printJSON(id)
			}
			return a.printIdentity(id)
		},
	}
	takeProfile(cmd)
	cmd.Flags().StringVar(&o.key, "key", "", "ask about the permanent key of that name")
	cmd.Flags().BoolVar(&o.env, "env", false, "ask about the credentials in the environment")
	cmd.Flags().BoolVar(&o.json, "json", false, "print JSON")
	return cmd
}

func (a *app) identity(cmd *cobra.Command, o whoamiOptions, args []string) (api.Identity, error) {
	ctx := cmd.Context()
	if !o.env && o.key == "" {
		w, err := profileOf(cmd, args)
		if err != nil {
			return api.Identity{}, err
		}
		if a.keyIsHere() {
			id, err := a.identityHere(ctx, w.name)
			return id, w.explain(err)
		}
		if w, err = a.settle(ctx, w); err != nil {
			return api.Identity{}, err
		}
		id, err := a.daemon().Identity(ctx, w.name)
		return id, w.explain(err)
	}
	p, err := dirs.Find()
	if err != nil {
		return api.Identity{}, err
	}
	if o.env {
		defer a.await("STS")()
		return identityOfEnviron(ctx, p, a.profiles(p))
	}
	return a.identityOfKey(ctx, p, o.key)
}

// identityHere asks without the daemon, which does not have the key of this process's environment.
func (a *app) identityHere(ctx context.Context, name string) (id api.Identity, err error) {
	p, err := dirs.Find()
	if err != nil {
		return id, err
	}
	set := a.profiles(p)
	if name == "" {
		if name, err = set.Choose(ctx); err != nil {
			return id, err
		}
	}
	defer a.await("STS")()
	return a.broker(p, set).Identity(ctx, name)
}

// identityOfKey has the daemon ask, which keeps all calls of this user's together under STS's limit. This process asks
// by itself where no daemon can be had, where the key is in its own environment, or where a person has a keystore to
// open.
func (a *app) identityOfKey(ctx context.Context, p dirs.Places, name string) (api.Identity, error) {
	set := a.profiles(p)
	store, err := set.Store()
	if err != nil {
		return api.Identity{}, err
	}
	if store.Name() == "env" {
		return a.identityOfKeyHere(ctx, p, set, name)
	}
	id, err := a.daemon().KeyIdentity(ctx, name)
	switch code := api.CodeOf(err); {
	case code == api.NoDaemon, code == api.KeystoreLocked && tty.Is(a.in):
		return a.identityOfKeyHere(ctx, p, set, name)
	}
	return id, err
}

// identityOfKeyHere asks with the permanent key itself, which stays in this process.
func (a *app) identityOfKeyHere(
	ctx context.Context, p dirs.Places, set *profile.Set, name string,
) (api.Identity, error) {
	if err := a.openStore(ctx, set); err != nil {
		return api.Identity{}, err
	}
	defer a.await("the keystore and STS")()
	ask, err := set.ReadKey(ctx, name)
	if err != nil {
		return api.Identity{}, lockedHere(set, err)
	}
	keys.AwaitTurn(ctx, p.State)
	return ask(ctx)
}

// identityOfEnviron asks at the site that config names, or at each until one knows the SecretId.
func identityOfEnviron(ctx context.Context, p dirs.Places, set *profile.Set) (api.Identity, error) {
	found := plaintext.InEnvironment(os.Getenv)
	if len(found) == 0 {
		return api.Identity{}, &api.Error{
			Code: api.NoKey, Message: "there are no credentials in the environment",
			Hint: "such as TENCENTCLOUD_SECRET_ID, TENCENTCLOUD_SECRET_KEY and TENCENTCLOUD_TOKEN: tcred exec sets them",
		}
	}
	keys.AwaitTurn(ctx, p.State)
	f := found[0]
	id, _, err := keys.FindSite(ctx, set, keystore.Key{ID: f.SecretID, Secret: f.SecretKey}, f.Token)
	return id, err
}

func (a *app) printIdentity(id api.Identity) error {
	var t table.Table
	for _, field := range [][2]string{
		{"Type", id.Type}, {"AccountId", id.AccountID}, {"UserId", id.UserID},
		{"PrincipalId", id.PrincipalID}, {"Arn", id.Arn}, {"RequestId", id.RequestID},
	} {
		t.Add(field[0], human.Dash(field[1]))
	}
	return t.Print(a.out, a.width())
}
