package cli

import (
	"bytes"
	"os/exec"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/tcred/tcred/internal/testworld"
)

func TestStacksKeepFunctionsAndLoseTheirArguments(t *testing.T) {
	const text = "goroutine 1 [select, 3 minutes]:\n" +
		"main.(*T).open(0xc0000, {0xc000123, 0x1c}, {0x7f, 0x8})\n\t/src/main.go:12 +0x1d\n" +
		"main.none()\n\t/src/a(1).go:1\ncreated by main.main in goroutine 1\n\t/src/main.go:3 +0x2\n"
	const want = "goroutine 1 [select, 3 minutes]:\n" +
		"main.(*T).open(...)\n\t/src/main.go:12 +0x1d\n" +
		"main.none(...)\n\t/src/a(1).go:1\ncreated by main.main in goroutine 1\n\t/src/main.go:3 +0x2\n"
	if got := string(withoutArguments([]byte(text))); got != want {
		t.Errorf("%s", got)
	}
}

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
		if cmd.ProcessState.ExitCode() != exitQuit || !strings.Contains(text, ".runDaemon(...)") ||
			strings.Contains(text, "(0x") || strings.Contains(text, "({0x") {
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
