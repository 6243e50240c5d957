package cli

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
	"github.com/spf13/cobra"
)

// follow runs the command that the last hint of the command before names, as a person would who copies it:
//
//	follow [doctor CHECK] [N] [WORD=VALUE...]
//
// A hint is a line that begins with "tcred: hint: ", "tcred: next: " or "tcred: now: " on stderr; with doctor, the
// cure that it printed on stdout for its check of that name. N is which of the hint's commands to run, 1 if left out.
// Each WORD that stands in the command for something only a person knows, such as COMMAND or FILE, becomes VALUE.
// What stdin and ttyin set up is its input. It must succeed; with "! follow" it must fail, and the next follow goes
// by its hint.
func follow(ts *testscript.TestScript, neg bool, args []string) {
	n, hint := 1, ""
	if len(args) > 1 && args[0] == "doctor" {
		hint, args = cureOf(ts.ReadFile("stdout"), args[1]), args[2:]
	} else {
		hint = lastHint(ts.ReadFile("stderr"))
	}
	if len(args) > 0 {
		if i, err := strconv.Atoi(args[0]); err == nil {
			n, args = i, args[1:]
		}
	}
	commands := commandsIn(hint)
	if len(commands) < n {
		ts.Fatalf("the hint %q names %d commands", hint, len(commands))
	}
	command := commands[n-1]
	for _, arg := range args {
		word, value, ok := strings.Cut(arg, "=")
		if !ok || !strings.Contains(command, word) {
			ts.Fatalf("%q is nothing to replace in %q", arg, command)
		}
		command = strings.ReplaceAll(command, word, value)
	}
	ts.Logf("follows: %s", command)
	if err := ts.Exec("sh", "-c", command); (err == nil) == neg {
		ts.Fatalf("%q ended with: %v", command, err)
	}
}

var (
	hintLine = regexp.MustCompile(`(?m)^tcred: (?:hint|next|now): (.+)$`)
	cureLine = regexp.MustCompile(`(?m)^(?:warn|fail) +(\S+) .*\n +cure: (.+)$`)
)

// lastHint is the last one in what a command said, "" if there is none.
func lastHint(stderr string) string {
	found := hintLine.FindAllStringSubmatch(stderr, -1)
	if len(found) == 0 {
		return ""
	}
	return found[len(found)-1][1]
}

// cureOf is the first cure that doctor printed for a check, "" if there is none.
func cureOf(stdout, check string) string {
	for _, m := range cureLine.FindAllStringSubmatch(stdout, -1) {
		if m[1] == check {
			return m[2]
		}
	}
	return ""
}

// afterCommand are words of a sentence that no command of tcred takes as an argument.
var afterCommand = strings.Fields(`and asks again anew begins changes does finds from goes here in it makes looks lists names
	notes once opens or puts reads restarts says sets shows shows: starts takes tells then there this to where which writes`)

// commandsIn are the commands of tcred that a hint names, as a shell takes them. One ends where the sentence goes on:
// at a comma, a semicolon, a bracket, a word of afterCommand, or where the command takes no further words. Behind --
// and in single quotes everything belongs to it.
func commandsIn(hint string) (commands []string) {
	words := strings.Fields(hint)
	for i := 0; i < len(words); i++ {
		if strings.Trim(words[i], `("'`) == "tcred" {
			command, n := commandAt(words[i+1:])
			commands = append(commands, command)
			i += n
		}
	}
	return commands
}

// commandAt is the command whose words, but for "tcred", words begin with, and how many of them are its own.
func commandAt(words []string) (command string, n int) {
	command = "tcred"
	most := maxArgs(words)
	dashed, quoted := false, false
	for _, word := range words {
		quoted = quoted != (strings.Count(word, "'")%2 == 1)
		bare := word
		if !quoted && !strings.HasSuffix(word, "...") {
			bare = strings.TrimRight(word, ",;:)?.")
		}
		isFlag, open := strings.HasPrefix(bare, "-"), dashed || quoted
		if !open && !isFlag && (most == 0 || slices.Contains(afterCommand, bare)) {
			break
		}
		switch {
		case isFlag && takesValue(command, bare):
			most++
		case !isFlag && !quoted:
			most--
		}
		dashed = dashed || bare == "--"
		command += " " + bare
		n++
		if bare != word {
			break
		}
	}
	return command, n
}

// find is the command of tcred that words begin with.
func find(words []string) *cobra.Command {
	at := Commands()[0]
	for _, word := range words {
		i := slices.IndexFunc(at.Commands(), func(c *cobra.Command) bool { return c.Name() == strings.TrimRight(word, ",;:)?.") })
		if i < 0 {
			break
		}
		at = at.Commands()[i]
	}
	return at
}

// maxArgs is how many words a command line of tcred takes that are no flags, the commands' own names included. A < for
// the shell is two more.
func maxArgs(words []string) int {
	command := find(words)
	most := len(strings.Fields(command.CommandPath())) - 1 + len(strings.Fields(command.Use)) - 1
	if slices.Contains(words, "<") {
		most += 2
	}
	return most
}

func takesValue(command, flag string) bool {
	f := find(strings.Fields(command)[1:]).Flags().Lookup(strings.TrimLeft(flag, "-"))
	return f != nil && f.NoOptDefVal == ""
}

func TestTheCommandsOfAHintAreFound(t *testing.T) {
	for hint, want := range map[string][]string{
		"tcred add": {"tcred add"},
		"tcred unlock, or passphrase_file under [keystore] in config.toml": {"tcred unlock"},
		"tcred add default --replace puts another in its place":            {"tcred add default --replace"},
		"tcred init --keystore file, then tcred add":                       {"tcred init --keystore file", "tcred add"},
		"tcred init --keystore file then tcred add work to begin":          {"tcred init --keystore file", "tcred add work"},
		"tcred list shows the keys":                                        {"tcred list"},
		"tcred exec -- COMMAND":                                            {"tcred exec -- COMMAND"},
		"tcred add --secret-id AKID... --secret-key-stdin < FILE":          {"tcred add --secret-id AKID... --secret-key-stdin < FILE"},
		"is a window waiting? tcred unlock; none? tcred init --keystore file": {
			"tcred unlock", "tcred init --keystore file",
		},
		"tcred init --keystore file --passphrase-file '/a b/p'; or else": {"tcred init --keystore file --passphrase-file '/a b/p'"},
		"there is no key yet: tcred add":                                 {"tcred add"},
		"tcred daemon stop: the next call starts it":                     {"tcred daemon stop"},
		"none here": nil,
	} {
		if got := commandsIn(hint); fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("%q: %q, want %q", hint, got, want)
		}
	}
}
