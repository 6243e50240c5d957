package cli

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/tcred/tcred/internal/cmdline"
	"github.com/tcred/tcred/internal/config"
	"github.com/tcred/tcred/internal/place/dirs"
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
				return cmdline.Error("tcred completion SHELL: "+strings.Join(shells, ", "), "which shell?")
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

// program is how a script calls the command that it completes, to ask for candidates.
var program = regexp.MustCompile(`(\$\{words\[[01]\]\}|\$args\[1\]|\$Program) ` + cobra.ShellCompRequestCmd + ` `)

// completionScript is cobra's. The helper has no completion in it, so its script asks tcred.
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
		return nil, cmdline.Error("known are "+strings.Join(shells, ", "), "no completion for the shell %q", shell)
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

// argumentCandidates are what may stand for a word of a command's Use line, each "value" or "value\twhat it is".
var argumentCandidates = map[string]func() []string{
	"PROFILE": profileNames, "KEY": keyNames, "SHELL": just(shells), "--": just([]string{"--"}),
}

// flagCandidates go by a flag's name.
var flagCandidates = map[string]func() []string{
	"profile": profileNames, "key": keyNames, "format": just(strings.Split(formatNames(), ", ")),
	"keystore": just(config.Backends), "site": just(config.Sites), "from": just([]string{"env", "tccli"}),
}

func just(list []string) func() []string { return func() []string { return list } }

// complete gives every command below cmd completion of its arguments and flags, where it has none of its own.
func complete(cmd *cobra.Command) {
	for _, c := range cmd.Commands() {
		complete(c)
		if c.ValidArgs == nil && c.ValidArgsFunction == nil && !c.HasSubCommands() {
			c.ValidArgsFunction = completeArgument
		}
		c.LocalFlags().VisitAll(func(f *pflag.Flag) {
			if f.Value.Type() == "bool" || strings.HasSuffix(f.Name, "-file") {
				return // the first takes no value, the second a file, which the shell completes
			}
			complete := func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
				return candidates(flagCandidates[f.Name])
			}
			_ = c.RegisterFlagCompletionFunc(f.Name, complete) // an error says that it has a completion already
		})
	}
}

// completeArgument finds what the next argument is in the Use line: the words after the command's name.
func completeArgument(cmd *cobra.Command, args []string, begun string) ([]string, cobra.ShellCompDirective) {
	if at := slices.Index(os.Args, "--"); at >= 0 { // a command of the person's own follows, which cobra does not tell us
		var commands []string
		if cmd.Name() == "exec" && at == len(os.Args)-2 && !strings.ContainsRune(begun, filepath.Separator) {
			commands = commandsOnPath(begun)
		}
		return commands, cobra.ShellCompDirectiveDefault // where there is none, the shell's own: files
	}
	words := strings.Fields(cmd.Use)[1:]
	if len(args) >= len(words) {
		return candidates(nil)
	}
	return candidates(argumentCandidates[strings.Trim(words[len(args)], "[].")])
}

// commandsOnPath are the commands whose names begin so.
func commandsOnPath(begun string) (names []string) {
	for _, dir := range filepath.SplitList(os.Getenv("PATH")) {
		entries, _ := os.ReadDir(dir) // a directory that is not there has none
		for _, e := range entries {
			if !strings.HasPrefix(e.Name(), begun) {
				continue
			}
			if _, err := exec.LookPath(filepath.Join(dir, e.Name())); err == nil {
				names = append(names, e.Name())
			}
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

func candidates(of func() []string) ([]string, cobra.ShellCompDirective) {
	if of == nil {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	return of(), cobra.ShellCompDirectiveNoFileComp
}

// keyNames are the keys in the index: none if it cannot be read, because a completion has nowhere to show an error.
func keyNames() []string {
	p, err := dirs.Find()
	if err != nil {
		return nil
	}
	entries, _ := indexOf(p).Load()
	names := make([]string, len(entries))
	for i, e := range entries {
		names[i] = e.Name + "\tkey"
	}
	return names
}

// profileNames are the declared profiles, and the keys.
func profileNames() []string {
	names := keyNames()
	p, err := dirs.Find()
	if err != nil {
		return nil
	}
	cfg, _, err := config.Load(p.Config)
	if err != nil {
		return names
	}
	for name, profile := range cfg.Profiles {
		names = slices.DeleteFunc(names, func(key string) bool { return key == name+"\tkey" })
		names = append(names, name+"\tprofile of key "+profile.Key)
	}
	slices.Sort(names)
	return names
}
