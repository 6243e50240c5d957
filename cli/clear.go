package cli

import (
	"context"
	"errors"
	"time"

	"github.com/spf13/cobra"

	"github.com/tcred/tcred/api"
	"github.com/tcred/tcred/client"
	"github.com/tcred/tcred/profile"
	"github.com/tcred/tcred/socket"
)

func (a *app) clearCmd() *cobra.Command {
	var all bool
	cmd := &cobra.Command{
		Use:   "clear [PROFILE]",
		Short: "Drop cached credentials",
		Long: `Clear drops the credential of the profile, or with --all every one, from the daemon's memory and from
the disk; the next call gets a new one. What a tool got before stays valid at Tencent Cloud until it
expires, and clear says until when: nothing can revoke it but deleting or disabling the permanent key.`,
		Example: `  tcred clear upload
  tcred clear --all`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) > 1 || all && len(args) > 0 {
				return usage("tcred clear --help", "one profile, or --all")
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			name, err := profileArg(args)
			if err != nil && !all {
				return err
			}
			if all {
				name = ""
			}
			cleared, err := a.clear(cmd.Context(), name)
			if err != nil {
				return err
			}
			a.tellCleared(name, cleared)
			return nil
		},
	}
	cmd.Flags().BoolVar(&all, "all", false, "drop the credentials of all profiles")
	return cmd
}

// clear asks the daemon; where none runs it does the same on the cache that the next one will find.
func (a *app) clear(ctx context.Context, name string) (api.Cleared, error) {
	cleared, err := client.New("").Clear(ctx, name)
	if !errors.Is(err, socket.ErrNotListening) {
		return cleared, err
	}
	p, err := findPaths()
	if err != nil {
		return api.Cleared{}, err
	}
	set := a.profiles(p)
	a.warnIfLocked(ctx, set)
	return a.broker(p, set).Clear(ctx, name)
}

// warnIfLocked tells why no expiry follows: entries are sealed under the key. It is no reason to prompt.
func (a *app) warnIfLocked(ctx context.Context, set *profile.Set) {
	store, err := set.Store()
	if err == nil {
		err = store.Probe(ctx)
	}
	if err != nil {
		a.warn("until when cleared credentials stay valid is not known: %v", err)
	}
}

func (a *app) tellCleared(name string, cleared api.Cleared) {
	for _, c := range cleared.Credentials {
		a.tell("the credential of profile %q is gone from here; at Tencent Cloud it stays valid until %s", c.Profile, moment(c.Expires, time.Now()))
	}
	switch {
	case len(cleared.Credentials) > 0:
	case name == "":
		a.tell("no valid credential was cached")
	default:
		a.tell("no valid credential of profile %q was cached", name)
	}
}
