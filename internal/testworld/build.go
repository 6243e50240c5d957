package testworld

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// Programs are the packages of tcred and tcred-helper.
var Programs = []string{"github.com/tcred/tcred", "github.com/tcred/tcred/cmd/tcred-helper"}

// builds are the directories of what this process has built, by the arguments of go build.
var builds = struct {
	sync.Mutex
	root string // they are all in it; "" outside Run
	dirs map[string]string
}{dirs: make(map[string]string)}

// Run is the body of TestMain in a package whose tests call Binaries or Build:
//
//	func TestMain(m *testing.M) { os.Exit(testworld.Run(m)) }
//
// It removes what they built. Where coverage is measured, it makes the test's children write their data where the test
// itself writes its own.
func Run(m *testing.M) int {
	flag.Parse()
	if dir := coverDir(); dir != "" {
		os.Setenv("GOCOVERDIR", dir)
	}
	root, err := os.MkdirTemp("", "tcred-test-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(root)
	builds.root = root
	return m.Run()
}

// coverDir is where the data of a measured test goes, "" if none is measured.
func coverDir() string {
	if testing.CoverMode() == "" {
		return ""
	}
	return flag.Lookup("test.gocoverdir").Value.String()
}

// Binaries is Build for tcred and tcred-helper. The flags are those of go build.
func Binaries(t testing.TB, flags ...string) (dir string) {
	t.Helper()
	return Build(t, append(flags, Programs...)...)
}

// Build runs go build with these flags and packages of ours, and returns the directory of the programs. With the same
// arguments a process builds once. Where coverage is measured, the programs are measured too.
func Build(t testing.TB, args ...string) (dir string) {
	t.Helper()
	return build(t, coverDir(), args)
}

// BuildUnmeasured is Build for programs that must be as users have them even where coverage is measured.
func BuildUnmeasured(t testing.TB, args ...string) (dir string) {
	t.Helper()
	return build(t, "", args)
}

// build is Build; cover is where the programs write coverage data, "" for none.
func build(t testing.TB, cover string, args []string) string {
	t.Helper()
	builds.Lock()
	defer builds.Unlock()
	key := strings.Join(append([]string{cover}, args...), "\x00")
	if dir, ok := builds.dirs[key]; ok {
		return dir
	}
	if builds.root == "" {
		t.Fatal("TestMain must call testworld.Run")
	}
	dir, err := os.MkdirTemp(builds.root, "")
	if err == nil && cover != "" {
		args, err = measured(cover, filepath.Join(dir, "overlay"), args)
	}
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("go", append([]string{"build", "-o", dir + string(filepath.Separator)}, args...)...)
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("go build %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	builds.dirs[key] = dir
	return dir
}

// coverDefault is added to Go's own package that writes a program's coverage data. A program that is started with an
// environment of its own, as a daemon is, has no GOCOVERDIR: it would write no data, and complain of that on stderr.
const coverDefault = `package cfile

import "os"

var _ = os.Getenv("GOCOVERDIR") != "" || os.Setenv("GOCOVERDIR", %q) == nil
`

// measured is args for programs that write their coverage data to cover. It makes the directory temp, for an overlay.
func measured(cover, temp string, args []string) ([]string, error) {
	root, err := exec.Command("go", "env", "GOROOT").Output()
	if err != nil {
		return nil, fmt.Errorf("find Go's own source: %w", err)
	}
	added := filepath.Join(strings.TrimSpace(string(root)), "src", "internal", "coverage", "cfile", "gocoverdir.go")
	source, overlay := filepath.Join(temp, "gocoverdir.go"), filepath.Join(temp, "overlay.json")
	text, err := json.Marshal(map[string]map[string]string{"Replace": {added: source}})
	if err == nil {
		err = os.Mkdir(temp, 0o700)
	}
	if err == nil {
		err = os.WriteFile(source, fmt.Appendf(nil, coverDefault, cover), 0o600)
	}
	if err == nil {
		err = os.WriteFile(overlay, text, 0o600)
	}
	flags := []string{"-cover", "-overlay", overlay}
	if mode := testing.CoverMode(); mode != "" {
		flags = append(flags, "-covermode="+mode)
	}
	return append(flags, args...), err
}
