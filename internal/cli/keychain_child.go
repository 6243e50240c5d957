package cli

import (
	"github.com/spf13/cobra"

	"github.com/tcred/tcred/internal/process"
	"github.com/tcred/tcred/internal/say"
	"github.com/tcred/tcred/keystore"
)

// keychainChildCmd is what the keychain store runs: a process that can be killed where the keychain hangs.
func (a *app) keychainChildCmd() *cobra.Command {
	return &cobra.Command{
		Use:    keystore.ChildCommand,
		Short:  "Ask the keychain once; tcred runs this by itself",
		Hidden: true,
		RunE: func(_ *cobra.Command, args []string) error {
			process.Harden()
			if status := keystore.ChildMain(args, a.in, a.out); status != say.ExitOK {
				return exitStatus(status)
			}
			return nil
		},
	}
}
