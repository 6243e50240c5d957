package cli

import (
	"cmp"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/tcred/tcred/api"
)

// manCmd is for whoever packages tcred.
func (a *app) manCmd() *cobra.Command {
	return &cobra.Command{
		Use:   "man DIR [FILE]",
		Short: "Write the man pages",
		Long: `Man writes a man page for each command and for tcred-helper into a directory, and from FILE, an
explained config.toml, tcred-config(5). $SOURCE_DATE_EPOCH dates them.`,
		Example: "  tcred man /tmp/man config.example.toml",
		Hidden:  true,
		Args:    cobra.RangeArgs(1, 2),
		RunE: func(cmd *cobra.Command, args []string) error {
			pages := manPages(cmd.Root(), a.helperCmd())
			if len(args) == 2 {
				example, err := os.ReadFile(args[1])
				if err != nil {
					return fmt.Errorf("reading the explained config: %w", err)
				}
				pages["tcred-config.5"] = configPage(string(example))
			}
			return writePages(args[0], pages)
		},
	}
}

func writePages(dir string, pages map[string]string) error {
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

// manPages are the pages of these commands and of the visible ones below them, by file name.
func manPages(commands ...*cobra.Command) map[string]string {
	pages := make(map[string]string)
	for _, cmd := range commands {
		pages[manName(cmd)+".1"] = commandPage(cmd)
		for name, text := range manPages(visible(cmd)...) {
			pages[name] = text
		}
	}
	return pages
}

func visible(cmd *cobra.Command) []*cobra.Command {
	var list []*cobra.Command
	for _, c := range cmd.Commands() {
		if c.IsAvailableCommand() {
			list = append(list, c)
		}
	}
	return list
}

// manName is tcred-daemon-stop for tcred daemon stop.
func manName(cmd *cobra.Command) string { return strings.ReplaceAll(cmd.CommandPath(), " ", "-") }

func commandPage(cmd *cobra.Command) string {
	name := manName(cmd)
	p := newPage(name, 1)
	p.section("NAME")
	p.line("%s \\- %s", roff(name), roff(lowerFirst(cmd.Short)))
	p.section("SYNOPSIS")
	synopsis := strings.Replace(strings.TrimSuffix(cmd.UseLine(), " [flags]"), cmd.CommandPath(), "", 1)
	p.line(".B %s", roff(cmd.CommandPath()))
	p.line("[flags]%s", roff(synopsis))
	p.section("DESCRIPTION")
	p.prose(cmp.Or(cmd.Long, cmd.Short+"."))
	if below := visible(cmd); len(below) > 0 {
		p.section("COMMANDS")
		for _, c := range below {
			p.item(c.CommandPath(), c.Short+"; see "+manName(c)+"(1)")
		}
	}
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

func seeAlso(cmd *cobra.Command) string {
	var names []string
	if cmd.HasParent() {
		names = append(names, manName(cmd.Parent())+"(1)")
	} else if cmd.Name() == helperName {
		names = append(names, "tcred(1)")
	} else {
		names = append(names, helperName+"(1)")
	}
	return strings.Join(append(names, "tcred-config(5)"), ", ")
}

func lowerFirst(s string) string { return strings.ToLower(s[:1]) + s[1:] }

// page is a man page in roff's man macros.
type page struct{ strings.Builder }

func newPage(name string, section int) *page {
	p := &page{}
	p.line(`.\" Made by tcred man. Do not edit.`)
	p.line(`.TH %s %d "%s" "tcred %s" tcred`, roff(strings.ToUpper(name)), section, manDate(), roff(api.Version))
	p.line(".nr HY 0\n.nh\n.ad l") // commands and paths are copied from here: no word is broken, no line stretched
	return p
}

func (p *page) line(format string, args ...any) { fmt.Fprintf(p, format+"\n", args...) }

func (p *page) section(name string) { p.line(".SH %s", name) }

// prose writes paragraphs; lines that begin with a blank stay as they are.
func (p *page) prose(text string) {
	literal := false
	for line := range strings.SplitSeq(strings.Trim(text, "\n"), "\n") {
		if indented := strings.HasPrefix(line, " "); indented != literal && line != "" {
			literal = indented
			if literal {
				p.line(".PP\n.RS 2\n.EX")
			} else {
				p.line(".EE\n.RE\n.PP")
			}
		}
		switch {
		case line == "" && literal:
			p.line("")
		case line == "":
			p.line(".PP")
		default:
			p.line("%s", roff(strings.TrimPrefix(line, "  ")))
		}
	}
	if literal {
		p.line(".EE\n.RE")
	}
}

// item is a word and what it means.
func (p *page) item(word, meaning string) {
	p.line(".TP\n.B %s\n%s", roff(word), roff(meaning))
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
