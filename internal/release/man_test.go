package release

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/tcred/tcred/internal/cli"
)

// testManual is the manual of version 1.2.3, of a fixed day.
var testManual = manual{"1.2.3", time.Unix(1790000000, 0).UTC()}

func manPages(t *testing.T) map[string]string {
	t.Helper()
	pages, err := testManual.pages(filepath.Join(repository, "config.example.toml"))
	if err != nil || len(pages) < 20 {
		t.Fatal(len(pages), err)
	}
	return pages
}

func TestEveryCommandHasAManPage(t *testing.T) {
	pages := manPages(t)
	var check func(cmd *cobra.Command)
	check = func(cmd *cobra.Command) {
		text, ok := pages[manName(cmd)+".1"]
		if !ok {
			t.Errorf("%s has no page", manName(cmd))
		}
		cmd.LocalFlags().VisitAll(func(f *pflag.Flag) {
			if has := strings.Contains(text, roff("--"+f.Name)); has == f.Hidden {
				t.Errorf("%s: --%s is there: %v", manName(cmd), f.Name, has)
			}
		})
		for _, c := range cmd.Commands() {
			if c.IsAvailableCommand() {
				check(c)
			}
		}
	}
	for _, cmd := range cli.Commands() {
		check(cmd)
	}
	for _, hidden := range []string{"tcred-keychain-child.1", "tcred-help.1", "tcred-tcred-helper.1"} {
		if _, ok := pages[hidden]; ok {
			t.Errorf("%s is there", hidden)
		}
	}
	for _, program := range []string{"tcred.1", "tcred-helper.1"} {
		if _, ok := pages[program]; !ok {
			t.Errorf("%s is not there", program)
		}
	}
}

func TestAManPageSaysItsVersionAndDay(t *testing.T) {
	const want = `.TH TCRED\-EXEC 1 "2026-09-21" "tcred 1.2.3" tcred` + "\n"
	if text := manPages(t)["tcred-exec.1"]; !strings.Contains(text, want) {
		t.Errorf("no %q in\n%s", want, text)
	}
}

func TestEveryPageThatIsReferredToIsThere(t *testing.T) {
	pages := manPages(t)
	for page, text := range pages {
		for _, m := range regexp.MustCompile(`(tcred[a-z\\-]*)\(([15])\)`).FindAllStringSubmatch(text, -1) {
			name := strings.ReplaceAll(m[1], `\`, "") + "." + m[2]
			if _, ok := pages[name]; !ok {
				t.Errorf("%s refers to %s", page, name)
			}
		}
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
	p := &page{}
	p.prose("one\n  two\n\n  three\nfour\n\nfive")
	want := "one\n.PP\n.RS 2\n.EX\ntwo\n\nthree\n.EE\n.RE\n.PP\nfour\n.PP\nfive\n"
	if p.String() != want {
		t.Errorf("prose is %q", p.String())
	}
}

func TestTheConfigPageShowsEverySetting(t *testing.T) {
	example, err := os.ReadFile(filepath.Join(repository, "config.example.toml"))
	if err != nil {
		t.Fatal(err)
	}
	page := indentSettings(string(example))
	for _, want := range []string{
		"\n  # site = \"cn\"\n", "\n  [keystore]\nWhere ", "\n  policy = '''\n  {\n    \"version\"",
		"\n  '''\n\nThe same", "\n  # region = \"ap-singapore\"",
	} {
		if !strings.Contains(page, want) {
			t.Errorf("no %q", want)
		}
	}
}

func TestRealManRendersEveryPage(t *testing.T) {
	if os.Getenv("TCRED_TEST_REAL") != "1" {
		t.Skip("needs man: TCRED_TEST_REAL=1 runs it")
	}
	dir := t.TempDir()
	if err := testManual.write(dir, filepath.Join(repository, "config.example.toml")); err != nil {
		t.Fatal(err)
	}
	pages, err := filepath.Glob(filepath.Join(dir, "*"))
	if err != nil || len(pages) < 20 {
		t.Fatal(pages, err)
	}
	for _, page := range pages {
		man := exec.CommandContext(t.Context(), "man", "--warnings", "--local-file", page)
		man.Env = append(os.Environ(), "MANWIDTH=80", "LC_ALL=C.UTF-8")
		var warnings strings.Builder
		man.Stderr = &warnings
		text, err := man.Output()
		if err != nil || warnings.Len() > 0 {
			t.Errorf("%s: %v: %s", filepath.Base(page), err, warnings.String())
		}
		if !strings.Contains(string(text), "\nNAME\n") || !strings.Contains(string(text), "\nSEE ALSO\n") {
			t.Errorf("%s is %q", filepath.Base(page), text)
		}
	}
}
