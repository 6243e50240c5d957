package release

import (
	"cmp"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/tcred/tcred/api"
	"github.com/tcred/tcred/internal/cli"
	"github.com/tcred/tcred/internal/say"
)

// manual makes man pages of one version and one day: the same ones wherever it runs.
type manual struct {
	version string
	time    time.Time
}

// pages are all man pages, by file name: one for each command and for tcred-helper, and tcred-config(5), from the
// explained config file at the path example.
func (m manual) pages(example string) (map[string]string, error) {
	text, err := os.ReadFile(example)
	if err != nil {
		return nil, fmt.Errorf("reading the explained config: %w", err)
	}
	pages := map[string]string{"tcred-config.5": m.configPage(string(text))}
	for _, cmd := range cli.Commands() {
		m.addPages(pages, cmd)
	}
	return pages, nil
}

// write writes all man pages into dir, which it makes.
func (m manual) write(dir, example string) error {
	pages, err := m.pages(example)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("making the directory of man pages: %w", err)
	}
	for name, text := range pages {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			return fmt.Errorf("writing a man page: %w", err)
		}
	}
	return nil
}

// addPages adds the pages of cmd and of the commands below it that help shows.
func (m manual) addPages(pages map[string]string, cmd *cobra.Command) {
	pages[manName(cmd)+".1"] = m.commandPage(cmd)
	for _, c := range cmd.Commands() {
		if c.IsAvailableCommand() {
			m.addPages(pages, c)
		}
	}
}

// manName is tcred-daemon-stop for tcred daemon stop.
func manName(cmd *cobra.Command) string { return strings.ReplaceAll(cmd.CommandPath(), " ", "-") }

func (m manual) commandPage(cmd *cobra.Command) string {
	name := manName(cmd)
	p := m.newPage(name, 1)
	p.section("NAME")
	p.line("%s \\- %s", roff(name), roff(lowerFirst(cmd.Short)))
	p.section("SYNOPSIS")
	synopsis := strings.Replace(strings.TrimSuffix(cmd.UseLine(), " [flags]"), cmd.CommandPath(), "", 1)
	p.line(".B %s", roff(cmd.CommandPath()))
	p.line("[flags]%s", roff(synopsis))
	p.section("DESCRIPTION")
	p.prose(cmp.Or(cmd.Long, cmd.Short+"."))
	p.commands(cmd)
	p.options(cmd)
	if cmd.Example != "" {
		p.section("EXAMPLES")
		p.prose(cmd.Example)
	}
	if !cmd.HasParent() {
		p.environment()
	}
	p.section("SEE ALSO")
	p.line("%s", roff(seeAlso(cmd)))
	return p.String()
}

// seeAlso are the command above, or the other program, and the config file.
func seeAlso(cmd *cobra.Command) string {
	other := "tcred-helper"
	switch {
	case cmd.HasParent():
		other = manName(cmd.Parent())
	case cmd.Name() == other:
		other = "tcred"
	}
	return other + "(1), tcred-config(5)"
}

func lowerFirst(s string) string { return strings.ToLower(s[:1]) + s[1:] }

func (p *page) commands(cmd *cobra.Command) {
	if !cmd.HasAvailableSubCommands() {
		return
	}
	p.section("COMMANDS")
	for _, c := range cmd.Commands() {
		if c.IsAvailableCommand() {
			p.item(c.CommandPath(), c.Short+"; see "+manName(c)+"(1)")
		}
	}
}

func (p *page) options(cmd *cobra.Command) {
	p.section("OPTIONS")
	cmd.InitDefaultHelpFlag()
	cmd.NonInheritedFlags().VisitAll(p.flag)
	cmd.InheritedFlags().VisitAll(p.flag)
}

func (p *page) flag(f *pflag.Flag) {
	if f.Hidden {
		return
	}
	word, meaning := "--"+f.Name, f.Usage
	if f.Shorthand != "" {
		word = "-" + f.Shorthand + ", " + word
	}
	if f.Value.Type() != "bool" {
		word += "=" + strings.ToUpper(f.Value.Type())
		if f.DefValue != "" && f.DefValue != "0s" {
			meaning += " (default " + f.DefValue + ")"
		}
	}
	p.item(word, meaning)
}

// environment ends the pages of the two programs: it holds for all commands.
func (p *page) environment() {
	p.section("EXIT STATUS")
	for _, s := range []struct {
		code    int
		meaning string
	}{
		{say.ExitOK, "It worked."},
		{say.ExitFailed, "It failed; stderr says why and what to do."},
		{say.ExitUsage, "The command line is wrong."},
		{say.ExitPerson, "A person is needed: the keystore is locked, there is no such key or profile."},
		{say.ExitTryAgain, "Try again: the same call may succeed later."},
	} {
		p.item(strconv.Itoa(s.code), s.meaning)
	}
	p.section("ENVIRONMENT")
	p.item("$"+api.EnvProfile, "The profile of commands that are given none; else it is "+api.DefaultProfile+".")
	p.item("$"+api.EnvConfig,
		"The config file; else $XDG_CONFIG_HOME/tcred/config.toml, else ~/.config/tcred/config.toml.")
	p.item("$"+api.EnvCacheDir, "Where credentials are kept, sealed.")
	p.item("$"+api.EnvSocket, "The daemon's socket; else tcred/tcred.sock in $XDG_RUNTIME_DIR.")
	p.item("$"+api.EnvLog, "With the value debug, say more on stderr.")
}
