package cli

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/tcred/tcred/internal/testworld"
)

func TestEveryCommandHasAManPage(t *testing.T) {
	dir := t.TempDir()
	writeManPages(t, dir)
	root := new(app).root()
	var check func(cmd *cobra.Command)
	check = func(cmd *cobra.Command) {
		text, err := os.ReadFile(filepath.Join(dir, manName(cmd)+".1"))
		if err != nil {
			t.Error(err)
		}
		cmd.LocalFlags().VisitAll(func(f *pflag.Flag) {
			if has := strings.Contains(string(text), roff("--"+f.Name)); has == f.Hidden {
				t.Errorf("%s: --%s is there: %v", manName(cmd), f.Name, has)
			}
		})
		for _, c := range visible(cmd) {
			check(c)
		}
	}
	check(root)
	check(new(app).helperCmd())
	for _, hidden := range []string{"tcred-man.1", "tcred-keychain-child.1", "tcred-help.1", "tcred-tcred-helper.1"} {
		if _, err := os.Stat(filepath.Join(dir, hidden)); err == nil {
			t.Errorf("%s is there", hidden)
		}
	}
}

func TestEveryPageThatIsReferredToIsThere(t *testing.T) {
	dir := t.TempDir()
	writeManPages(t, dir)
	pages, err := filepath.Glob(filepath.Join(dir, "*"))
	if err != nil || len(pages) < 20 {
		t.Fatal(pages, err)
	}
	for _, page := range pages {
		text, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range regexp.MustCompile(`(tcred[a-z\\-]*)\(([15])\)`).FindAllSubmatch(text, -1) {
			name := strings.ReplaceAll(string(m[1]), `\`, "") + "." + string(m[2])
			if _, err := os.Stat(filepath.Join(dir, name)); err != nil {
				t.Errorf("%s refers to %s", filepath.Base(page), name)
			}
		}
	}
}

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

func TestTextIsEscapedForRoff(t *testing.T) {
	for text, want := range map[string]string{
		`.PP is text`:         `\&.PP is text`,
		`'quoted'`:            `\&\(aqquoted\(aq`,
		`a\nb`:                `a\enb`,
		`--min-ttl ~/^` + "`": `\-\-min\-ttl \(ti/\(ha\(ga`,
	} {
		if got := roff(text); got != want {
			t.Errorf("%q: %q", text, got)
		}
	}
	p := newPage("x", 1)
	p.Reset()
	p.prose("one\n  two\n\n  three\nfour\n\nfive")
	want := "one\n.PP\n.RS 2\n.EX\ntwo\n\nthree\n.EE\n.RE\n.PP\nfour\n.PP\nfive\n"
	if p.String() != want {
		t.Errorf("prose is %q", p.String())
	}
}

func TestTheConfigPageShowsEverySetting(t *testing.T) {
	example, err := os.ReadFile("../../config.example.toml")
	if err != nil {
		t.Fatal(err)
	}
	page := indentSettings(string(example))
	for _, want := range []string{
		"\n  # site = \"cn\"\n", "\n  [keystore]\nWhere ", "\n  policy = '''\n  {\n    \"version\"", "\n  '''\n\nThe same", "\n  # region = \"ap-singapore\"",
	} {
		if !strings.Contains(page, want) {
			t.Errorf("no %q", want)
		}
	}
}

func TestRealManRendersEveryPage(t *testing.T) {
	testworld.NeedPrograms(t, "man")
	dir := t.TempDir()
	writeManPages(t, dir)
	pages, err := filepath.Glob(filepath.Join(dir, "*"))
	if err != nil || len(pages) < 20 {
		t.Fatal(pages, err)
	}
	for _, page := range pages {
		text := runShell(t, []string{"MANWIDTH=80", "LC_ALL=C.UTF-8"}, "man", "--warnings", "--local-file", page)
		if !strings.Contains(text, "\nNAME\n") || !strings.Contains(text, "\nSEE ALSO\n") {
			t.Errorf("%s is %q", page, text)
		}
	}
}

func writeManPages(t *testing.T, dir string) {
	t.Helper()
	a := new(app)
	root := a.root()
	root.SetArgs([]string{"man", dir, "../../config.example.toml"})
	if err := root.Execute(); err != nil {
		t.Fatal(err)
	}
}
