//go:build unix

package keystore

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/tcred/tcred/internal/testworld"
	"github.com/tcred/tcred/internal/testworld/keyring"
)

// familyChild hangs, and so does a child of its own, whose process id it leaves in a file.
func familyChild() int {
	grandchild := exec.Command("sleep", "1000")
	grandchild.Stdout = os.Stdout // holds the pipe open, too
	if err := grandchild.Start(); err != nil {
		return 1
	}
	os.WriteFile(os.Getenv("TCRED_TEST_PID"), []byte(strconv.Itoa(grandchild.Process.Pid)), 0o600)
	hang()
	return 0
}

func TestKeychainChildTakesItsOwnChildrenAlong(t *testing.T) {
	path := filepath.Join(t.TempDir(), "pid")
	t.Setenv("TCRED_TEST_PID", path)
	k, _ := newKeychain(t, "family", time.Minute, time.Hour)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	ended := make(chan error)
	go func() { ended <- k.Probe(ctx) }()
	var pid int
	for pid == 0 {
		time.Sleep(10 * time.Millisecond)
		text, _ := os.ReadFile(path)
		pid, _ = strconv.Atoi(string(text))
	}
	cancel()
	if err := <-ended; err == nil {
		t.Error("no error")
	}
	for range 500 { // killed, it is reaped by whoever adopted it
		if gone(pid) {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	syscall.Kill(pid, syscall.SIGKILL)
	t.Error("the grandchild lives on")
}

func gone(pid int) bool {
	if syscall.Kill(pid, 0) != nil {
		return true
	}
	stat, _ := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	return len(stat) > 0 && string(stat[len(strconv.Itoa(pid)):][:10]) == " (sleep) Z"
}

// deafBus is the address of a unix socket that accepts and never answers.
func deafBus(t *testing.T) string {
	t.Helper()
	path := filepath.Join(testworld.ShortDir(t), "bus")
	stop, err := keyring.Deaf(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(stop)
	return "unix:path=" + path
}
