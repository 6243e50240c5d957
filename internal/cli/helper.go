package cli

import (
	"github.com/spf13/cobra"

	"github.com/tcred/tcred/credential"
	"github.com/tcred/tcred/internal/cmdline"
)

const helperName = "tcred-helper"

// helperCmd describes tcred-helper, which reads its arguments by hand, for the sake of its completion and man page.
func (a *app) helperCmd() *cobra.Command {
	cmd := &cobra.Command{
		Use:    helperName + " [PROFILE]",
		Short:  "Print a temporary Tencent Cloud credential, fast",
		Hidden: true,
		Long: `Tcred-helper prints a temporary credential of the profile, in the form that AWS tools expect of a
credential_process. It is made to be run by tools on every call: it asks the daemon, which keeps credentials
ready, and starts it if it does not run. On failure nothing is on stdout; what went wrong and what to do
is on stderr.` + profileHelp,
		Example: `  tcred-helper upload
  tcred-helper --profile upload --format env --min-ttl 20m

  # in ~/.aws/config, with absolute paths
  credential_process = /usr/local/bin/tcred-helper upload`,
		RunE: func(*cobra.Command, []string) error {
			return cmdline.Error("run tcred-helper", "tcred-helper is a program of its own")
		},
	}
	cmd.Flags().String("profile", "", "the same as PROFILE")
	cmd.Flags().String("format", string(credential.Process), "one of "+formatNames())
	cmd.Flags().String("min-ttl", "", "fail unless the credential lives at least that long, such as 20m")
	cmd.Flags().Bool("version", false, "print the version")
	return cmd
}
