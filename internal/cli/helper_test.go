package cli

import (
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"testing"

	"github.com/spf13/pflag"

	"github.com/tcred/tcred/internal/testworld"
)

// The helper reads its arguments by hand: what is said of it here must be what it says itself.
func TestTheHelpersPageHasItsFlags(t *testing.T) {
	bin := testworld.Binaries(t)
	help, err := exec.Command(filepath.Join(bin, helperName), "--help").Output()
	if err != nil {
		t.Fatal(err)
	}
	var want []string
	for _, m := range regexp.MustCompile(`(?m)^  --([a-z-]+)`).FindAllStringSubmatch(string(help), -1) {
		want = append(want, m[1])
	}
	cmd := new(app).helperCmd()
	cmd.InitDefaultHelpFlag()
	var got []string
	cmd.Flags().VisitAll(func(f *pflag.Flag) { got = append(got, f.Name) })
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Errorf("described are %q, of %q", got, want)
	}
}
