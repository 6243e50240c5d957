package cli

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/tcred/tcred/client"
)

func TestADaemonWhoseTerminalIsClosedEndsInOrder(t *testing.T) {
	cmd, home := alone(t, "daemon")
	var log bytes.Buffer
	cmd.Stderr = &log
	startDaemon(t, cmd, home)
	if err := cmd.Process.Signal(syscall.SIGHUP); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err != nil || !strings.Contains(log.String(), "msg=stopped") {
		t.Errorf("%v:\n%s", err, log.String())
	}
}

func TestADaemonIsHardened(t *testing.T) {
	cmd, home := alone(t)
	cmd.Args = []string{"sh", "-c", `umask 022 && exec "$0" daemon`, cmd.Path}
	cmd.Path = "/bin/sh"
	startDaemon(t, cmd, home)
	isHardened(t, cmd.Process.Pid)
	if err := cmd.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err != nil {
		t.Error(err)
	}
}

// startDaemon starts cmd, a daemon that is alone in home, and waits until it listens.
func startDaemon(t *testing.T, cmd *exec.Cmd, home string) {
	t.Helper()
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	c := &client.Client{Socket: filepath.Join(home, "tcred", "tcred.sock")}
	for n := 0; ; n++ {
		if _, err := c.Status(t.Context()); err == nil {
			return
		} else if n == 500 {
			t.Fatal("no daemon listens: ", err)
		}
		time.Sleep(10 * time.Millisecond)
	}
}

// isHardened sees that process pid writes files for nobody else, and no core dump.
func isHardened(t *testing.T, pid int) {
	t.Helper()
	for file, want := range map[string]string{
		"status": `(?m)^Umask:\s+0077$`, "limits": `(?m)^Max core file size\s+0\s+0\s`,
	} {
		text, err := os.ReadFile(fmt.Sprintf("/proc/%d/%s", pid, file))
		if err != nil || !regexp.MustCompile(want).Match(text) {
			t.Errorf("%v, no %s in\n%s", err, want, text)
		}
	}
}
