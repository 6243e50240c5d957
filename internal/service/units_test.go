package service

import (
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/tcred/tcred/api"
)

func TestPathsAreReadAsSystemctlQuotesThem(t *testing.T) {
	for list, want := range map[string][]string{
		"":                   nil,
		"/a /b/c":            {"/a", "/b/c"},
		`/a "/zhang san"`:    {"/a", "/zhang san"},
		`"/a b" "/\"c\\d\$"`: {"/a b", `/"c\d$`},
		`"/a b\""`:           {`/a b"`},
		`"/never closed`:     {`"/never`, "closed"},
	} {
		if got := words(list); !slices.Equal(got, want) {
			t.Errorf("%s: %q", list, got)
		}
	}
}

func TestHomebrewsNextUpgradeKeepsThePathOfTheBinary(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("there is no Homebrew on windows")
	}
	prefix, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	binary := filepath.Join(prefix, "Cellar", "tcred", "1.2.3", "bin", "tcred")
	if got := lasting(binary); got != binary {
		t.Errorf("nothing leads to it, but it is run as %s", got)
	}
	if err := errors.Join(os.MkdirAll(filepath.Dir(binary), 0o700), os.WriteFile(binary, nil, 0o700),
		os.Mkdir(filepath.Join(prefix, "opt"), 0o700),
		os.Symlink("../Cellar/tcred/1.2.3", filepath.Join(prefix, "opt", "tcred"))); err != nil {
		t.Fatal(err)
	}
	if got := lasting(binary); got != filepath.Join(prefix, "opt", "tcred", "bin", "tcred") {
		t.Errorf("it is run as %s", got)
	}
	older := filepath.Join(prefix, "Cellar", "tcred", "1.2.2", "bin", "tcred")
	for _, other := range []string{"/usr/bin/tcred", older} {
		if got := lasting(other); got != other {
			t.Errorf("%s is run as %s", other, got)
		}
	}
}

func TestWhoRanSudoIsToldToRunItWithout(t *testing.T) {
	t.Setenv("SUDO_USER", "zhang")
	want := "run it without sudo"
	if os.Geteuid() != 0 {
		want = "loginctl enable-linger"
	}
	if hint := api.AsError(noSystemd(errors.New("no bus"))).Hint; !strings.Contains(hint, want) {
		t.Errorf("the hint is %q", hint)
	}
}
