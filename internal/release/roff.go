package release

import (
	"fmt"
	"regexp"
	"strings"
	"time"
)

// page is a man page in roff's man macros.
type page struct{ strings.Builder }

func (m manual) newPage(name string, section int) *page {
	p := &page{}
	p.line(`.\" Made by tcred's release build. Do not edit.`)
	p.line(`.TH %s %d "%s" "tcred %s" tcred`,
		roff(strings.ToUpper(name)), section, m.time.Format(time.DateOnly), roff(m.version))
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

// setting is a line of config.toml that sets something, commented out or not, or a table's name.
var setting = regexp.MustCompile(`^(# )?([a-z_]+ = |\[)`)

// configPage makes tcred-config(5) from an explained config.toml: paragraphs of comment, each above what it explains.
func (m manual) configPage(example string) string {
	p := m.newPage("tcred-config", 5)
	p.section("NAME")
	p.line("tcred\\-config \\- settings of tcred")
	p.section("SYNOPSIS")
	p.line("%s", roff("~/.config/tcred/config.toml"))
	p.section("DESCRIPTION")
	p.prose(indentSettings(example))
	p.section("SEE ALSO")
	p.line("%s", roff("tcred(1), tcred-init(1), tcred-check(1)"))
	return p.String()
}

// indentSettings takes the comment signs off explanations, and indents what is TOML: settings, also commented out, and
// strings of many lines.
func indentSettings(example string) string {
	lines := strings.Split(strings.TrimSpace(example), "\n")
	inString := false
	for i, line := range lines {
		if inString || setting.MatchString(line) {
			inString = inString != (strings.Count(line, "'''") == 1)
			lines[i] = "  " + line
		} else {
			lines[i] = strings.TrimPrefix(strings.TrimPrefix(line, "#"), " ")
		}
	}
	return strings.Join(lines, "\n")
}

// roff escapes a line of text. A hyphen is one that can be copied.
func roff(line string) string {
	line = roffSpecial.Replace(line)
	if strings.HasPrefix(line, ".") || strings.HasPrefix(line, `\(aq`) {
		line = `\&` + line
	}
	return line
}

var roffSpecial = strings.NewReplacer(`\`, `\e`, "-", `\-`, "'", `\(aq`, "`", `\(ga`, "^", `\(ha`, "~", `\(ti`,
	"\t", "    ", "…", `\&...`)
