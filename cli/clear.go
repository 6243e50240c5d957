package cli

import (
	"context"
	"errors"
	"time"

	"github.com/spf13/cobra"

	"github.com/tcred/tcred/api"
	"github.com/tcred/tcred/client"
	"github.com/tcred/tcred/socket"
)

func (a *app) clearCmd() *cobra.Command {
	var all bool
	cmd := &cobra.Command{
		Use:   "clear [PROFILE]",
		Short: "Drop cached credentials",
		Long: `Clear drops the credential of the profile, or with --all every one, from the daemon's memory and from
the disk; the next call gets a new one. What a tool got before stays valid at Tencent Cloud until it
expires, and clear says until when: nothing revokes it earlier.`,
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
			return a.clear(cmd.Context(), name)
		},
	}
	cmd.Flags().BoolVar(&all, "all", false, "drop the credentials of all profiles")
	return cmd
}

// clear asks the daemon; where none runs it does the same on the cache that the next one will find.
func (a *app) clear(ctx context.Context, name string) error {
	var locked error
	cleared, err := client.New("").Clear(ctx, name)
	if errors.Is(err, socket.ErrNotListening) {
		cleared, locked, err = a.clearHere(ctx, name)
	}
	if err != nil {
		return err
	}
	if locked != nil {
		a.warn("until when cleared credentials stay valid is not known: %v", locked)
	}
	a.tellCleared(name, cleared, locked == nil)
	return nil
}

// clearHere clears in this process. Entries are sealed under the key: locked says why they could not be looked at,
// which is no reason to keep them, nor to prompt.
func (a *app) clearHere(ctx context.Context, name string) (cleared api.Cleared, locked, err error) {
	p, err := findPaths()
	if err != nil {
		return api.Cleared{}, nil, err
	}
	set := a.profiles(p)
	store, locked := set.Store()
	if locked == nil {
		locked = store.Probe(ctx)
	}
	cleared, err = a.broker(p, set).Clear(ctx, name)
	return cleared, locked, err
}

func (a *app) tellCleared(name string, cleared api.Cleared, known bool) {
	for _, c := range cleared.Credentials {
		a.tell("the credential of profile %q is gone from here; at Tencent Cloud it stays valid until %s", c.Profile, moment(c.Expires, time.Now()))
	}
	switch {
	case !known:
		a.tell("what was cached is gone from here")
	case len(cleared.Credentials) > 0:
	case name == "":
		a.tell("no valid credential was cached")
	default:
		a.tell("no valid credential of profile %q was cached", name)
	}
}
