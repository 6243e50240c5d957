package cli

import (
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/tcred/tcred/internal/demo"
)

func (a *app) demoCmd() *cobra.Command {
	return &cobra.Command{
		Use:   "demo",
		Short: "See all of it work: no account, no keychain, nothing left behind",
		Long: `Demo does the whole job on a local STS in a temporary directory: a key goes into a keystore, tools
get credentials through the helper, 200 of them at once, STS fails, and the permanent key is searched
for. Its story is on stderr; stdout gets one credential, as a tool would. Then everything is removed.`,
		Example: "  tcred demo",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			// When its terminal closes, or the reader of its output ends, it removes all it made, as after ^C.
			ctx, stop := signal.NotifyContext(cmd.Context(), syscall.SIGHUP, syscall.SIGPIPE)
			defer stop()
			return demo.Run(ctx, a.out, a.err)
		},
	}
}
