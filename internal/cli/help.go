package cli

import (
	"strings"

	"github.com/spf13/cobra"

	"github.com/tcred/tcred/internal/cmdline"
)

// helpCmd is for those who type help where others type --help. It is no line in the list of commands.
func (a *app) helpCmd() *cobra.Command {
	return &cobra.Command{
		Use:     "help [COMMAND]",
		Short:   "Show a command's help",
		Long:    "Help shows what --help shows.",
		Example: "  tcred help exec",
		Hidden:  true,
		RunE: func(cmd *cobra.Command, args []string) error {
			about, rest, err := cmd.Root().Find(args)
			switch {
			case err == nil && len(rest) == 0:
				return about.Help()
			case len(rest) > 0 && about.HasSubCommands():
				return cmdline.NoCommand(about, rest[0])
			}
			return cmdline.Error(about.CommandPath()+" --help", "no command %q", strings.Join(args, " "))
		},
		ValidArgsFunction: func(cmd *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
			about, rest, err := cmd.Root().Find(args)
			if err != nil || len(rest) > 0 {
				return candidates(nil)
			}
			var names []string
			for _, c := range about.Commands() {
				if c.IsAvailableCommand() {
					names = append(names, c.Name()+"\t"+c.Short)
				}
			}
			return candidates(just(names))
		},
	}
}
