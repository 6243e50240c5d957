package cmdline

import (
	"testing"

	"github.com/spf13/cobra"
)

func TestWhatACommandTakesIsSaidByItsUseLine(t *testing.T) {
	for use, want := range map[string]string{
		"demo":                   `no argument, not "a"`,
		"remove KEY":             "one key, not 2 arguments",
		"setup [TOOL] [PROFILE]": "[TOOL] [PROFILE], not 2 arguments",
	} {
		if got := argsFault(&cobra.Command{Use: use}, []string{"a", "b"}); got != want {
			t.Errorf("%s: %q", use, got)
		}
	}
}
