package cli

import (
	"time"

	"github.com/spf13/cobra"

	"github.com/tcred/tcred/internal/human"
)

func (a *app) refreshCmd() *cobra.Command {
	return &cobra.Command{
		Use:   "refresh [PROFILE]",
		Short: "Get a new credential now",
		Long: `Refresh makes the daemon get a new credential of the profile, whatever life the old one has left: after
a permission was changed, or before a long time without network. Nobody needs it for expiry: the daemon
renews what is in use by itself. The old credential stays valid until it expires.`,
		Example: `  tcred refresh
  tcred refresh upload`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			name, err := profileArg(args)
			if err != nil {
				return err
			}
			st, err := a.daemon().Refresh(cmd.Context(), name)
			if err != nil {
				return err
			}
			a.tell("profile %q has a new credential until %s", name, human.Moment(st.Expires, time.Now()))
			return nil
		},
	}
}
