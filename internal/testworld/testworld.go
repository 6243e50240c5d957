// Package testworld is what the tests of several rooms share: the built programs, directories for sockets, and one way
// to say that a test needs a real component. It imports no room of tcred, so the tests inside every room can use it.
package testworld

import (
	"os"
	"os/exec"
	"runtime"
	"testing"
)

// realTests names the variable that asks, when it is 1, for the tests against real components.
const realTests = "TCRED_TEST_REAL"

// NeedReal skips a test against a real component, unless TCRED_TEST_REAL=1 asks for it. Then the test fails where it is
// not possible. The reason says what the test needs: "needs root, to mount a disk".
func NeedReal(t testing.TB, possible bool, reason string) {
	t.Helper()
	switch {
	case os.Getenv(realTests) != "1":
		t.Skipf("%s; %s=1 runs it", reason, realTests)
	case !possible:
		t.Fatalf("%s=1, but this test %s", realTests, reason)
	}
}

// NeedPrograms is NeedReal for programs that must be on PATH.
func NeedPrograms(t testing.TB, names ...string) {
	t.Helper()
	for _, name := range names {
		_, err := exec.LookPath(name)
		NeedReal(t, err == nil, "needs "+name)
	}
}

// ShortDir makes a directory, 0700, whose path leaves room for a socket's; that of t.TempDir is too long on some
// machines. It is removed when the test ends.
func ShortDir(t testing.TB) string {
	t.Helper()
	parent := "/tmp" // $TMPDIR may be long too
	if runtime.GOOS == "windows" {
		parent = ""
	}
	dir, err := os.MkdirTemp(parent, "tcred")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}
