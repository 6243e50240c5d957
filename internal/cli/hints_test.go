package cli

import (
	"regexp"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"
)

// hintedCommand is the command in a hint.
var hintedCommand = regexp.MustCompile(`(?m)^tcred: hint: (?:.*: )?(tcred(?:-helper)?(?: [^;,\n]*)?)`)

// followHint does what the last hint says, literally.
func followHint(ts *testscript.TestScript, neg bool, args []string) {
	m := hintedCommand.FindAllStringSubmatch(ts.ReadFile("stderr"), -1)
	if m == nil {
		ts.Fatalf("no hint on stderr names a command")
	}
	words := append(strings.Fields(m[len(m)-1][1]), args...)
	if err := ts.Exec(words[0], words[1:]...); (err != nil) != neg {
		ts.Fatalf("%s: %v", strings.Join(words, " "), err)
	}
}
