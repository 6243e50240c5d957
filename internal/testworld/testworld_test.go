package testworld

import (
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

func TestMain(m *testing.M) { os.Exit(Run(m)) }

// recorder stands in for a test and keeps what it was told.
type recorder struct {
	testing.TB
	said string
}

func (*recorder) Helper()                 {}
func (r *recorder) Skipf(string, ...any)  { r.said += "skip " }
func (r *recorder) Fatalf(string, ...any) { r.said += "fail " }
func (r *recorder) outcome(f func(testing.TB)) string {
	r.said = ""
	f(r)
	return strings.TrimSpace(r.said)
}

func TestARealTestIsSkippedUntilAskedForAndThenMustRun(t *testing.T) {
	for _, tt := range []struct {
		asked    string
		possible bool
		want     string
	}{
		{"", true, "skip"}, {"", false, "skip"}, {"1", true, ""}, {"1", false, "fail"},
	} {
		t.Setenv(realTests, tt.asked)
		need := func(t testing.TB) { NeedReal(t, tt.possible, "needs this") }
		if got := new(recorder).outcome(need); got != tt.want {
			t.Errorf("asked %q, possible %v: %q", tt.asked, tt.possible, got)
		}
	}
	t.Setenv(realTests, "1")
	for program, want := range map[string]string{"go": "", "no-such-program": "fail"} {
		if got := new(recorder).outcome(func(t testing.TB) { NeedPrograms(t, program) }); got != want {
			t.Errorf("%s: %q", program, got)
		}
	}
}

func TestASocketFitsIntoAShortDir(t *testing.T) {
	const longest = 103 // macOS; without the 0 at the end
	if path := filepath.Join(ShortDir(t), "tcred", "tcred.sock"); len(path) > longest {
		t.Errorf("%s is too long", path)
	}
}

func TestProgramsAreBuiltOnceForEachSetOfFlags(t *testing.T) {
	helper := Programs[1]
	first, again, other := Build(t, helper), Build(t, helper), Build(t, "-ldflags=-s -w", helper)
	if first != again || first == other {
		t.Errorf("in %s, then in %s, with flags in %s", first, again, other)
	}
	if _, err := exec.LookPath(filepath.Join(other, "tcred-helper")); err != nil {
		t.Error(err)
	}
}

// The environment is empty, as that of a daemon nearly is.
func TestAMeasuredProgramWritesItsDataWhateverItsEnvironment(t *testing.T) {
	data := t.TempDir()
	helper := filepath.Join(build(t, data, Programs[1:]), "tcred-helper")
	if runtime.GOOS == "windows" {
		helper += ".exe"
	}
	cmd := exec.Command(helper, "--version")
	cmd.Env = []string{"HOME=/"}
	var stderr strings.Builder
	cmd.Stderr = &stderr
	if err := cmd.Run(); err != nil || stderr.Len() > 0 {
		t.Errorf("%v, stderr %q", err, stderr.String())
	}
	for _, pattern := range []string{"covmeta.*", "covcounters.*"} {
		if files, _ := filepath.Glob(filepath.Join(data, pattern)); len(files) != 1 {
			t.Errorf("%s: %q", pattern, files)
		}
	}
}
