//go:build unix

package daemon

import (
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

func TestAPipeInTheLogsPlaceBlocksNobody(t *testing.T) {
	path := filepath.Join(t.TempDir(), "daemon.log")
	if err := syscall.Mkfifo(path, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := OpenLog(path, nil); err == nil || !strings.Contains(err.Error(), path) {
		t.Errorf("got %v", err)
	}
}
