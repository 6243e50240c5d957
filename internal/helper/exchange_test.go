//go:build unix

package helper

import (
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/tcred/tcred/api"
	"github.com/tcred/tcred/internal/say"
)

// Each byte in time is not enough: the deadline is that of the whole answer.
func TestASlowDaemonEndsInATimeoutThatMayBeTriedAgain(t *testing.T) {
	dir, err := os.MkdirTemp("", "t")
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "s")
	l, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	go func() {
		c, err := l.Accept()
		for err == nil {
			time.Sleep(10 * time.Millisecond)
			_, err = c.Write([]byte("H"))
		}
	}()
	_, err = exchange(path, options{profile: "p"}.request("/c"), time.Now().Add(100*time.Millisecond))
	if api.CodeOf(err) != api.Timeout || say.Exit(api.AsError(err)) != say.ExitTryAgain {
		t.Errorf("got %v", err)
	}
}
