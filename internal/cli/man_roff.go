package cli

import (
	"os"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/tcred/tcred/api"
	"github.com/tcred/tcred/internal/say"
)

// environment ends the page of tcred itself: what holds for all commands.
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
	p.item("$"+api.EnvConfig, "The config file; else $XDG_CONFIG_HOME/tcred/config.toml, else ~/.config/tcred/config.toml.")
	p.item("$"+api.EnvCacheDir, "Where credentials are kept, sealed.")
	p.item("$"+api.EnvSocket, "The daemon's socket; else tcred/tcred.sock in $XDG_RUNTIME_DIR.")
	p.item("$"+api.EnvLog, "With the value debug, say more on stderr.")
}

// setting is a line of config.toml that sets something, commented out or not, or a table's name.
var setting = regexp.MustCompile(`^(# )?([a-z_]+ = |\[)`)

// configPage makes tcred-config(5) from an explained config.toml: paragraphs of comment, each above what it explains.
func configPage(example string) string {
	p := newPage("tcred-config", 5)
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

// indentSettings takes the comment signs off what explains, and indents what is TOML: settings, also commented out, and
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

var roffSpecial = strings.NewReplacer(`\`, `\e`, "-", `\-`, "'", `\(aq`, "`", `\(ga`, "^", `\(ha`, "~", `\(ti`, "\t", "    ", "…", `\&...`)

// manDate is the day of $SOURCE_DATE_EPOCH, or nothing: a page is the same whenever it is made.
func manDate() string {
	seconds, err := strconv.ParseInt(os.Getenv("SOURCE_DATE_EPOCH"), 10, 64)
	if err != nil {
		return ""
	}
	return time.Unix(seconds, 0).UTC().Format(time.DateOnly)
}
