package cli

import (
	"bytes"
	"os/exec"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/tcred/tcred/internal/process"
	"github.com/tcred/tcred/internal/testworld"
)

// The length of a string is among the arguments of every function that has it.
func TestSIGQUITShowsTheStacksWithoutArguments(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("there is no daemon on windows yet")
	}
	for _, signal := range []syscall.Signal{syscall.SIGQUIT, syscall.SIGABRT} {
		dir := testworld.ShortDir(t)
		cmd := exec.Command(testworld.Binaries(t)+"/tcred", "daemon")
		cmd.Env = []string{"HOME=" + dir, "XDG_RUNTIME_DIR=" + dir}
		said := &listening{ready: make(chan struct{})}
		cmd.Stderr = said
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		select {
		case <-said.ready:
		case <-time.After(time.Minute):
			t.Error("no daemon listens")
		}
		cmd.Process.Signal(signal)
		cmd.Wait()
		text := said.text.String()
		if cmd.ProcessState.ExitCode() != process.ExitQuit || !strings.Contains(text, "(*app).serve(...)") || strings.Contains(text, "(0x") ||
			strings.Contains(text, "({0x") {
			t.Errorf("%v: %v\n%s", signal, cmd.ProcessState, text)
		}
	}
}

// listening is the log of a daemon.
type listening struct {
	text  bytes.Buffer
	ready chan struct{} // closed once it listens
}

func (l *listening) Write(p []byte) (int, error) {
	before := strings.Contains(l.text.String(), "msg=listening")
	l.text.Write(p)
	if !before && strings.Contains(l.text.String(), "msg=listening") {
		close(l.ready)
	}
	return len(p), nil
}
