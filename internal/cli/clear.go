package cli

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/tcred/tcred/api"
	"github.com/tcred/tcred/internal/cmdline"
	"github.com/tcred/tcred/internal/human"
	"github.com/tcred/tcred/internal/place/dirs"
	"github.com/tcred/tcred/internal/socket"
)

func (a *app) clearCmd() *cobra.Command {
	var all bool
	cmd := &cobra.Command{
		Use:   "clear [PROFILE]",
		Short: "Drop cached credentials",
		Long: `Clear drops the credential of the profile, or with --all every one, from the daemon's memory and from
the disk; the next call gets a new one. What a tool got before stays valid at Tencent Cloud until it
expires, and clear says until when: nothing revokes it earlier.` + profileHelp,
		Example: `  tcred clear upload
  tcred clear --all`,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) > 1 || all && (len(args) > 0 || cmd.Flags().Changed("profile")) {
				return cmdline.Error("tcred clear --help", "one profile, or --all")
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			if all {
				return a.clear(cmd.Context(), "")
			}
			w, err := profileOf(cmd, args)
			if err == nil {
				w, err = a.settleToClear(cmd.Context(), w)
			}
			if err != nil {
				return err
			}
			return w.explain(a.clear(cmd.Context(), w.name))
		},
	}
	takeProfile(cmd)
	cmd.Flags().BoolVar(&all, "all", false, "drop the credentials of all profiles")
	return cmd
}

// settleToClear is settle without starting a daemon: where none runs, this process chooses as it would.
func (a *app) settleToClear(ctx context.Context, w asked) (asked, error) {
	if w.name != "" {
		return w, nil
	}
	if _, err := a.running().Status(ctx); !errors.Is(err, socket.ErrNotListening) {
		return a.settle(ctx, w)
	}
	p, err := dirs.Find()
	if err != nil {
		return w, err
	}
	name, err := a.profiles(p).Choose(ctx)
	return asked{name: name}, err
}

// clear asks the daemon; where none runs it does the same on the cache that the next one will find.
func (a *app) clear(ctx context.Context, name string) error {
	cleared, err := a.running().Clear(ctx, name)
	if errors.Is(err, socket.ErrNotListening) {
		cleared, err = a.clearHere(ctx, name)
	}
	if err != nil {
		return err
	}
	a.tellCleared(name, cleared)
	return nil
}

// clearHere clears in this process. It asks for no key, so nothing prompts.
func (a *app) clearHere(ctx context.Context, name string) (api.Cleared, error) {
	p, err := dirs.Find()
	if err != nil {
		return api.Cleared{}, err
	}
	return a.broker(p, a.profiles(p)).Clear(ctx, name)
}

func (a *app) tellCleared(name string, cleared api.Cleared) {
	for _, c := range cleared.Credentials {
		what := "a credential of a profile that is gone or was changed"
		if c.Profile != "" {
			what = fmt.Sprintf("the credential of profile %q", c.Profile)
		}
		a.tell("%s is gone from here; at Tencent Cloud it stays valid until %s",
			what, human.Moment(c.Expires, time.Now()))
	}
	switch {
	case len(cleared.Credentials) > 0:
	case name == "":
		a.tell("no valid credential was cached")
	default:
		a.tell("no valid credential of profile %q was cached", name)
	}
}
