package cli

import (
	"context"
	"fmt"
	"os"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/tcred/tcred/api"
	"github.com/tcred/tcred/internal/human"
	"github.com/tcred/tcred/internal/keys"
	"github.com/tcred/tcred/internal/place/dirs"
	"github.com/tcred/tcred/internal/plaintext"
	"github.com/tcred/tcred/internal/profile"
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
lie in the environment, as tools started here would use them.`,
		Example: `  tcred whoami
  tcred whoami upload --json
  tcred whoami --key work
  tcred exec upload -- tcred whoami --env`,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) > 1 {
				return usage("tcred whoami --help", "one profile at a time")
			}
			byKey := cmd.Flags().Changed("key")
			if o.env && byKey || (o.env || byKey) && len(args) > 0 {
				return usage("tcred whoami --help", "PROFILE, --key and --env exclude each other")
			}
			if byKey && !api.ValidName(o.key) {
				return usage(api.NameHint, "%q cannot be a key's name", o.key)
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			id, err := a.identity(cmd.Context(), o, args)
			if err != nil {
				return err
			}
			if o.json {
				return a.printJSON(id)
			}
			return a.printIdentity(id)
		},
	}
	cmd.Flags().StringVar(&o.key, "key", "", "ask about the permanent key of that name")
	cmd.Flags().BoolVar(&o.env, "env", false, "ask about the credentials in the environment")
	cmd.Flags().BoolVar(&o.json, "json", false, "print JSON")
	return cmd
}

func (a *app) identity(ctx context.Context, o whoamiOptions, args []string) (api.Identity, error) {
	if !o.env && o.key == "" {
		name, err := profileArg(args)
		if err != nil {
			return api.Identity{}, err
		}
		if !a.keyIsHere() {
			return a.daemon().Identity(ctx, name)
		}
		p, err := dirs.Find()
		if err != nil {
			return api.Identity{}, err
		}
		return a.broker(p, a.profiles(p)).Identity(ctx, name)
	}
	p, err := dirs.Find()
	if err != nil {
		return api.Identity{}, err
	}
	if o.env {
		return identityOfEnviron(ctx, a.profiles(p))
	}
	return a.identityOfKey(ctx, a.profiles(p), o.key)
}

// identityOfKey asks with the permanent key itself, which stays in this process.
func (a *app) identityOfKey(ctx context.Context, set *profile.Set, name string) (api.Identity, error) {
	entry, err := set.Key(ctx, name)
	if err != nil {
		return api.Identity{}, err
	}
	if err := a.openStore(ctx, set); err != nil {
		return api.Identity{}, err
	}
	store, err := set.Store()
	if err != nil {
		return api.Identity{}, err
	}
	key, err := store.Get(ctx, name)
	if err != nil {
		return api.Identity{}, lockedHere(set, err)
	}
	return keys.Identity(ctx, set, entry.Site, key, "")
}

// identityOfEnviron asks at the site that config names, or at each until one knows the SecretId.
func identityOfEnviron(ctx context.Context, set *profile.Set) (api.Identity, error) {
	found := plaintext.InEnvironment(os.Getenv)
	if len(found) == 0 {
		return api.Identity{}, &api.Error{
			Code: api.NoKey, Message: "there are no credentials in the environment",
			Hint: "such as TENCENTCLOUD_SECRET_ID, TENCENTCLOUD_SECRET_KEY and TENCENTCLOUD_TOKEN: tcred exec sets them",
		}
	}
	f := found[0]
	id, _, err := keys.FindSite(ctx, set, keystore.Key{ID: f.SecretID, Secret: f.SecretKey}, f.Token)
	return id, err
}

func (a *app) printIdentity(id api.Identity) error {
	w := tabwriter.NewWriter(a.out, 0, 0, 2, ' ', 0)
	for _, field := range [][2]string{
		{"Type", id.Type}, {"AccountId", id.AccountID}, {"UserId", id.UserID},
		{"PrincipalId", id.PrincipalID}, {"Arn", id.Arn}, {"RequestId", id.RequestID},
	} {
		fmt.Fprintf(w, "%s\t%s\n", field[0], human.Dash(field[1]))
	}
	return w.Flush()
}
