package cli

import (
	"time"

	"github.com/spf13/cobra"

	"github.com/tcred/tcred/internal/human"
)

func (a *app) refreshCmd() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "refresh [PROFILE]",
		Short: "Get a new credential now",
		Long: `Refresh makes the daemon get a new credential of the profile, whatever life the old one has left: after
a permission was changed, or before a long time without network. Nobody needs it for expiry: the daemon
renews what is in use by itself. The old credential stays valid until it expires.` + profileHelp,
		Example: `  tcred refresh
  tcred refresh upload`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			w, err := profileOf(cmd, args)
			if err == nil {
				w, err = a.settle(cmd.Context(), w)
			}
			if err != nil {
				return err
			}
			st, err := a.daemon().Refresh(cmd.Context(), w.name)
			if err != nil {
				return w.explain(err)
			}
			a.tell("profile %q has a new credential until %s", w.name, human.Moment(st.Expires, time.Now()))
			return nil
		},
	}
	takeProfile(cmd)
	return cmd
}
