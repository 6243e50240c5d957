package cli

import (
	"bytes"
	"path/filepath"
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
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	c := client.New(filepath.Join(home, "tcred", "tcred.sock"))
	for n := 0; ; n++ {
		if _, err := c.Status(t.Context()); err == nil {
			break
		} else if n == 500 {
			t.Fatal("no daemon listens: ", err)
		}
		time.Sleep(10 * time.Millisecond)
	}
	if err := cmd.Process.Signal(syscall.SIGHUP); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err != nil || !strings.Contains(log.String(), "msg=stopped") {
		t.Errorf("%v:\n%s", err, log.String())
	}
}
