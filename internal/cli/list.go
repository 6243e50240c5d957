package cli

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/tcred/tcred/credential"
	"github.com/tcred/tcred/internal/config"
	"github.com/tcred/tcred/internal/human"
	"github.com/tcred/tcred/internal/place/dirs"
	"github.com/tcred/tcred/internal/policy"
	"github.com/tcred/tcred/internal/profile"
	"github.com/tcred/tcred/internal/say"
	"github.com/tcred/tcred/internal/service"
	"github.com/tcred/tcred/internal/table"
	"github.com/tcred/tcred/keystore"
)

// inventory is what tcred list shows, and its JSON.
type inventory struct {
	Keys     []listedKey     `json:"keys"`
	Profiles []listedProfile `json:"profiles"`
}

type listedKey struct {
	Name      string    `json:"name"`
	SecretID  string    `json:"secret_id"` // masked
	Type      string    `json:"type,omitempty"`
	AccountID string    `json:"account_id,omitempty"`
	UserID    string    `json:"user_id,omitempty"`
	Arn       string    `json:"arn,omitempty"`
	Site      string    `json:"site,omitempty"`
	Added     time.Time `json:"added,omitzero"`

	owner string // as the table shows it
}

type listedProfile struct {
	Name       string    `json:"name"`
	Key        string    `json:"key"`
	AccountID  string    `json:"account_id,omitempty"` // that its credentials belong to
	Region     string    `json:"region"`
	Default    bool      `json:"default,omitempty"` // it is meant where none is named
	Policy     string    `json:"policy"`            // "full", "file" or "inline"
	PolicyFile string    `json:"policy_file,omitempty"`
	Duration   string    `json:"duration"`
	Expires    time.Time `json:"expires,omitzero"`  // of the credential that a running daemon holds
	Problem    string    `json:"problem,omitempty"` // why it is refused; then nothing else is known of it
}

func (a *app) listCmd() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:     "list",
		Aliases: []string{"ls"},
		Short:   "Show keys and profiles",
		Long: `List shows the keys that tcred knows, their SecretIds shortened, and whose they are; then every profile
that a tool may ask for: its key and that key's account, its region, its policy (full: the key's own
rights), how long its credentials live, and when the one that the daemon holds expires.`,
		Example: `  tcred list
  tcred list --json`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return a.list(cmd.Context(), asJSON) },
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

func (a *app) list(ctx context.Context, asJSON bool) error {
	p, err := dirs.Find()
	if err != nil {
		return err
	}
	inv, err := a.inventory(ctx, p, a.profiles(p))
	if err != nil {
		return err
	}
	if asJSON {
		return a.printJSON(inv)
	}
	if len(inv.Keys) == 0 {
		a.tell("no key yet")
		fmt.Fprintln(a.err, say.HintPrefix+"tcred add")
	}
	return a.printInventory(inv)
}

// inventory gathers keys and profiles. Only the expiry comes from the daemon, and only if it runs.
func (a *app) inventory(ctx context.Context, p dirs.Places, set *profile.Set) (inventory, error) {
	inv := inventory{Keys: []listedKey{}, Profiles: []listedProfile{}}
	c, err := set.Config()
	if err != nil {
		return inv, err
	}
	keys, err := a.knownKeys(ctx, set)
	if err != nil {
		return inv, err
	}
	names := slices.Sorted(maps.Keys(keys))
	for _, name := range names {
		e := keys[name]
		inv.Keys = append(inv.Keys, listedKey{
			Name: name, SecretID: credential.Mask(e.SecretID), Type: e.Type, AccountID: e.AccountID, UserID: e.UserID,
			Arn: e.Arn, Site: cmp.Or(c.Site, e.Site), Added: e.Added, owner: e.Owner(),
		})
	}
	expires := a.expiries(ctx, p)
	a.passProblem(set, nil)
	chosen, _ := c.Choose(names) // there may be none
	for _, name := range c.Names(names) {
		pr, err := c.Profile(name, names)
		if err != nil { // the warning above says what is wrong with one of them
			inv.Profiles = append(inv.Profiles, listedProfile{Name: name, Default: name == chosen, Problem: err.Error()})
			continue
		}
		inv.Profiles = append(inv.Profiles, listedProfile{
			Name: name, Key: pr.Key, AccountID: keys[pr.Key].AccountID, Region: pr.Region, Default: name == chosen, Policy: policyKind(pr), PolicyFile: pr.PolicyFile,
			Duration: human.Span(pr.Duration), Expires: expires[name],
		})
	}
	return inv, nil
}

// knownKeys is the index, and what a read-only keystore holds besides. One that cannot be read is a warning.
func (a *app) knownKeys(ctx context.Context, set *profile.Set) (map[string]keystore.Entry, error) {
	indexed, err := set.Keys()
	if err != nil {
		return nil, err
	}
	store, err := set.Store()
	if err != nil || !store.ReadOnly() {
		return indexed, err
	}
	keys := maps.Clone(indexed)
	names, err := store.List(ctx)
	if err != nil {
		a.warn("%v", err)
	}
	for _, name := range names {
		if _, ok := keys[name]; ok {
			continue
		}
		k, err := store.Get(ctx, name)
		if err != nil {
			a.warn("%v", err)
			continue
		}
		keys[name] = keystore.Entry{Name: name, SecretID: k.ID}
	}
	return keys, nil
}

// expiries are when the credentials expire that a daemon on the same config holds.
func (a *app) expiries(ctx context.Context, p dirs.Places) map[string]time.Time {
	st, err := service.DaemonStatus(ctx, a.running())
	if err != nil || st.Config != p.Config {
		return nil
	}
	expires := make(map[string]time.Time)
	for _, s := range st.Profiles {
		expires[s.Name] = s.Expires
	}
	return expires
}

func policyKind(p config.Profile) string {
	switch {
	case p.PolicyFile != "":
		return "file"
	case p.Policy == policy.Full:
		return "full"
	}
	return "inline"
}

func (a *app) printInventory(inv inventory) error {
	keys := table.Table{Header: []string{"KEY", "SECRETID", "ACCOUNT", "IDENTITY", "SITE"}}
	for _, k := range inv.Keys {
		keys.Add(k.Name, k.SecretID, human.Dash(k.AccountID), human.Dash(k.owner), human.Dash(k.Site))
	}
	profiles := table.Table{Header: []string{"PROFILE", "KEY", "ACCOUNT", "REGION", "POLICY", "DURATION", "EXPIRES"}}
	for _, p := range inv.Profiles {
		if p.Problem != "" {
			profiles.Add(p.Name, "-", "-", "-", "refused", "-", "-")
			continue
		}
		profiles.Add(p.Name, p.Key, human.Dash(p.AccountID), p.Region, p.policy(), p.Duration, p.expiry())
	}
	var out bytes.Buffer // errors of writing to it are none
	for _, t := range []table.Table{keys, profiles} {
		if t.Empty() {
			continue
		}
		if out.Len() > 0 {
			out.WriteString("\n")
		}
		t.Print(&out, a.width())
	}
	if _, err := a.out.Write(out.Bytes()); err != nil {
		return fmt.Errorf("writing the answer: %w", err)
	}
	return nil
}

func (p listedProfile) policy() string {
	if p.PolicyFile != "" {
		return filepath.Base(p.PolicyFile)
	}
	return p.Policy
}

func (p listedProfile) expiry() string {
	left := time.Until(p.Expires)
	if left <= 0 {
		return "-"
	}
	return fmt.Sprintf("%s (%s left)", p.Expires.Local().Format("15:04:05"), human.Span(left.Truncate(time.Minute)))
}
