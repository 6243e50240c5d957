package cli

import (
	"bytes"
	"fmt"
	"regexp"
	"strings"

	"github.com/spf13/cobra"

	"github.com/tcred/tcred/config"
	"github.com/tcred/tcred/credential"
)

var shells = []string{"bash", "zsh", "fish", "powershell"}

func (a *app) completionCmd() *cobra.Command {
	var forHelper bool
	cmd := &cobra.Command{
		Use:   "completion SHELL",
		Short: "Print a shell's completion script",
		Long: `Completion prints the script that completes tcred's commands, flags, profiles and keys in bash (4.1 or
newer, with its bash-completion), zsh, fish or PowerShell. Names come from config.toml and the key index
alone: no daemon is started and no keychain asked. With --helper it is the script for tcred-helper,
which wants tcred on the PATH. The packages install both.`,
		Example: `  source <(tcred completion bash)
  tcred completion zsh > "${fpath[1]}/_tcred"
  tcred completion fish > ~/.config/fish/completions/tcred.fish
  tcred completion powershell | Out-String | Invoke-Expression`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) != 1 {
				return usage("tcred completion SHELL: "+strings.Join(shells, ", "), "which shell?")
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			script, err := completionScript(cmd.Root(), args[0], forHelper)
			if err != nil {
				return err
			}
			_, err = a.out.Write(script)
			return err
		},
	}
	cmd.Flags().BoolVar(&forHelper, "helper", false, "complete tcred-helper")
	return cmd
}

// program is how a script names the command it completes, when it asks that for candidates.
var program = regexp.MustCompile(`(\$\{words\[[01]\]\}|\$args\[1\]|\$Program) ` + cobra.ShellCompRequestCmd + ` `)

// completionScript is cobra's. The helper knows nothing of completion, so its script asks tcred.
func completionScript(root *cobra.Command, shell string, forHelper bool) ([]byte, error) {
	if forHelper {
		root = &cobra.Command{Use: helperName}
	}
	var b bytes.Buffer
	var err error
	switch shell {
	case "bash":
		err = root.GenBashCompletionV2(&b, true)
	case "zsh":
		err = root.GenZshCompletion(&b)
	case "fish":
		err = root.GenFishCompletion(&b, true)
	case "powershell":
		err = root.GenPowerShellCompletionWithDesc(&b)
	default:
		return nil, usage("known are "+strings.Join(shells, ", "), "no completion for the shell %q", shell)
	}
	if err != nil {
		return nil, fmt.Errorf("writing the completion script: %w", err)
	}
	script := b.Bytes()
	if forHelper {
		script = program.ReplaceAllLiteral(script, []byte("tcred "+cobra.ShellCompRequestCmd+" "+helperName+" "))
	}
	return script, nil
}

// candidates are what an argument or a flag's value may be, each "value" or "value\twhat it is".
type candidates func() []string

func one(of ...string) candidates { return func() []string { return of } }

// argumentCandidates goes by the words in a command's Use line.
var argumentCandidates = map[string]candidates{"PROFILE": profileNames, "KEY": keyNames, "SHELL": one(shells...)}

// flagCandidates goes by a flag's name.
var flagCandidates = map[string]candidates{
	"profile": profileNames, "key": keyNames, "format": one(strings.Fields(strings.ReplaceAll(formatNames(), ",", " "))...),
	"keystore": one(config.Backends...), "site": one(config.Sites...), "from": one("env", "tccli"),
}

// complete gives cmd and all below it completion of their arguments and flags, where a command has none of its own.
func complete(cmd *cobra.Command) {
	for _, c := range cmd.Commands() {
		complete(c)
	}
	if cmd.HasParent() && cmd.ValidArgs == nil && cmd.ValidArgsFunction == nil {
		cmd.ValidArgsFunction = completeArgument
	}
	cmd.LocalFlags().VisitAll(func(f *pflag.Flag) {
		if f.Value.Type() == "bool" || strings.HasSuffix(f.Name, "file") {
			return // none, and the shell's own: files
		}
		cmd.RegisterFlagCompletionFunc(f.Name, func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
			return flagCandidates[f.Name].list(), cobra.ShellCompDirectiveNoFileComp
		})
	})
}
