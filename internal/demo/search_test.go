package demo

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tcred/tcred/credential"
)

// The search must be able to find: each form of a canary, planted where a leak would be.
func TestTheSearchFindsACanary(t *testing.T) {
	canary := credential.Secret(`Canary/+"7&` + strings.Repeat("q", 20))
	for i, form := range formsOf(canary) {
		dir := t.TempDir()
		text := slices.Concat([]byte("log: "), form, []byte("\n"))
		if err := os.WriteFile(filepath.Join(dir, "leak"), text, 0o600); err != nil {
			t.Fatal(err)
		}
		if hits, _, err := searchFiles(dir, canary); err != nil || len(hits) != 1 {
			t.Errorf("form %d was not found: %v", i, err)
		}
	}
	if _, err := os.Stat("/proc/self/environ"); err != nil {
		t.Skip("no /proc here")
	}
	for _, leak := range []*exec.Cmd{
		{Path: "/bin/sh", Args: []string{"sh", "-c", "read x", canary.Reveal()}},
		{Path: "/bin/sh", Args: []string{"sh", "-c", "read x"}, Env: []string{"LEAK=" + canary.Reveal()}},
	} {
		stdin, err := leak.StdinPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := leak.Start(); err != nil {
			t.Fatal(err)
		}
		var hits []string
		for range 100 { // the environment shows once exec is done
			if hits, _ = searchProcesses(canary); len(hits) > 0 {
				break
			}
			time.Sleep(10 * time.Millisecond)
		}
		if len(hits) == 0 {
			t.Errorf("not found: %v", leak.Args)
		}
		stdin.Close()
		leak.Wait() // it ends with its input
	}
}
