package cli

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/tcred/tcred/internal/testworld"
)

func TestTheDemoTellsItsStoryAndLeavesNothing(t *testing.T) {
	bin := testworld.Binaries(t)
	home := t.TempDir()
	tmp, err := os.MkdirTemp("/tmp", "tcred") // short enough for the demo to stay in
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(tmp)
	cmd := exec.CommandContext(t.Context(), filepath.Join(bin, "tcred"), "demo")
	cmd.Env = append(os.Environ(), "HOME="+home, "TMPDIR="+tmp, "XDG_RUNTIME_DIR="+home)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		t.Fatalf("%v\n%s", err, stderr.String())
	}
	var answer struct{ Expiration time.Time }
	if err := json.Unmarshal(stdout.Bytes(), &answer); err != nil || time.Until(answer.Expiration) <= 0 {
		t.Errorf("stdout is no credential: %v: %s", err, stdout.String())
	}
	for _, dir := range []string{home, tmp} {
		if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
			t.Errorf("left behind: %v, %v", left, err)
		}
	}
	commands, err := filepath.Glob("/proc/[0-9]*/environ")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range commands {
		if env, err := os.ReadFile(c); err == nil && bytes.Contains(env, []byte(tmp)) {
			t.Errorf("a process is left: %s", c)
		}
	}
	for n := 1; n <= 8; n++ {
		if !strings.Contains(stderr.String(), fmt.Sprintf("\n%d. ", n)) {
			t.Errorf("step %d is missing:\n%s", n, stderr.String())
		}
	}
}
