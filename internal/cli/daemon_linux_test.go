package cli

import (
	"bytes"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/tcred/tcred/emulator"
)

func TestADaemonWhoseTerminalIsClosedEndsInOrder(t *testing.T) {
	s := newTestStage(t, emulator.Options{})
	cmd := exec.CommandContext(t.Context(), s.tcred, "daemon")
	cmd.Env = s.env
	var log bytes.Buffer
	cmd.Stderr = &log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	for range 500 {
		if _, _, status := s.output(t, s.tcred, "status"); status == 0 {
			break
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
