//go:build unix

package docs

import (
	"bufio"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// script is the one of docs/recipes.md that calls itself name.
func script(t *testing.T, name string) string {
	t.Helper()
	for _, f := range fences(documents(t)["docs/recipes.md"], "sh") {
		if strings.Contains(f.text, "\n# "+name+" ") {
			return f.text
		}
	}
	t.Fatalf("docs/recipes.md has no script %s", name)
	return ""
}

func TestACoscmdThatIsStoppedLeavesNoCredentialBehind(t *testing.T) {
	bin := t.TempDir()
	for name, does := range map[string]string{
		"tcred-helper": "echo secret", "jq": "cat", "coscmd": `grep secret "$2"; exec sleep 30`, "coscmd-once": script(t, "coscmd-once"),
	} {
		if err := os.WriteFile(filepath.Join(bin, name), []byte("#!/bin/sh\n"+does), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	for sig, status := range map[syscall.Signal]int{syscall.SIGINT: 130, syscall.SIGTERM: 143, syscall.SIGHUP: 143} {
		temp := t.TempDir()
		cmd := exec.CommandContext(t.Context(), filepath.Join(bin, "coscmd-once"), "upload", "bucket", "region", "list")
		cmd.Env = []string{"PATH=" + bin + string(filepath.ListSeparator) + os.Getenv("PATH"), "TMPDIR=" + temp}
		cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // a terminal's signals reach all of them
		out, err := cmd.StdoutPipe()
		if err == nil {
			err = cmd.Start()
		}
		if err != nil {
			t.Fatal(err)
		}
		if line, err := bufio.NewReader(out).ReadString('\n'); line != "secret\n" {
			t.Errorf("coscmd got %q, %v", line, err)
		}
		syscall.Kill(-cmd.Process.Pid, sig) // Wait says it
		cmd.Wait()                          // the status says it
		if got := cmd.ProcessState.ExitCode(); got != status {
			t.Errorf("%v: exit status %d", sig, got)
		}
		if left, _ := os.ReadDir(temp); len(left) > 0 {
			t.Errorf("%v: %v is left behind", sig, left)
		}
	}
}
