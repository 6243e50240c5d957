package cli

import (
	"context"
	"fmt"
	"os"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/tcred/tcred/api"
	"github.com/tcred/tcred/credential"
	"github.com/tcred/tcred/internal/place/dirs"
	"github.com/tcred/tcred/internal/profile"
	"github.com/tcred/tcred/keystore"
)

// asker says whose credential whoami asks about: a profile's unless one of the others is set.
type asker struct {
	key  string // a permanent key's name
	env  bool   // what the environment holds
	json bool
}

func (a *app) whoamiCmd() *cobra.Command {
	var q asker
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
			if q.env && byKey || (q.env || byKey) && len(args) > 0 {
				return usage("tcred whoami --help", "PROFILE, --key and --env exclude each other")
			}
			if byKey && !api.ValidName(q.key) {
				return usage(api.NameHint, "%q cannot be a key's name", q.key)
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			id, err := a.identity(cmd.Context(), q, args)
			if err != nil {
				return err
			}
			if q.json {
				return a.printJSON(id)
			}
			return a.printIdentity(id)
		},
	}
	cmd.Flags().StringVar(&q.key, "key", "", "ask about the permanent key of that name")
	cmd.Flags().BoolVar(&q.env, "env", false, "ask about the credentials in the environment")
	cmd.Flags().BoolVar(&q.json, "json", false, "print JSON")
	return cmd
}

func (a *app) identity(ctx context.Context, q asker, args []string) (api.Identity, error) {
	if !q.env && q.key == "" {
		name, err := profileArg(args)
		if err != nil {
			return api.Identity{}, err
		}
		return a.daemon().Identity(ctx, name)
	}
	p, err := dirs.Find()
	if err != nil {
		return api.Identity{}, err
	}
	if q.env {
		return identityOfEnviron(ctx, a.profiles(p))
	}
	return a.identityOfKey(ctx, a.profiles(p), q.key)
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
	return callerIdentity(ctx, set, entry.Site, key, "")
}

// identityOfEnviron asks at the site that config names, or at each until one knows the SecretId.
func identityOfEnviron(ctx context.Context, set *profile.Set) (api.Identity, error) {
	held := environCredentials(os.Getenv)
	if len(held) == 0 {
		return api.Identity{}, &api.Error{
			Code: api.NoKey, Message: "there are no credentials in the environment",
			Hint: "such as TENCENTCLOUD_SECRET_ID, TENCENTCLOUD_SECRET_KEY and TENCENTCLOUD_TOKEN: tcred exec sets them",
		}
	}
	c := held[0]
	id, _, err := findSite(ctx, set, keystore.Key{ID: c.SecretID, Secret: c.SecretKey}, c.Token)
	return id, err
}

// environCredential is a credential in the environment under one family of names.
type environCredential struct {
	credential.Credential // with no Token if it is a permanent key
	names                 []string
}

// environCredentials finds every id with its secret, in the order in which credential lists the spellings.
func environCredentials(getenv func(string) string) (held []environCredential) {
	for _, s := range credential.Spellings() {
		c := environCredential{names: []string{s.ID, s.Key}}
		c.SecretID, c.SecretKey = getenv(s.ID), credential.Secret(getenv(s.Key))
		if c.SecretID == "" || c.SecretKey == "" {
			continue
		}
		for _, token := range s.Tokens {
			if getenv(token) != "" {
				c.Token, c.names = credential.Secret(getenv(token)), append(c.names, token)
				break
			}
		}
		held = append(held, c)
	}
	return held
}

func (a *app) printIdentity(id api.Identity) error {
	w := tabwriter.NewWriter(a.out, 0, 0, 2, ' ', 0)
	for _, field := range [][2]string{
		{"Type", id.Type}, {"AccountId", id.AccountID}, {"UserId", id.UserID},
		{"PrincipalId", id.PrincipalID}, {"Arn", id.Arn}, {"RequestId", id.RequestID},
	} {
		fmt.Fprintf(w, "%s\t%s\n", field[0], dash(field[1]))
	}
	return w.Flush()
}
