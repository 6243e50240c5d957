package packaging

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"os"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

const (
	strictSocket = "TCRED_TEST_STRICT_SOCKET"
	strictCount  = 50
	strictURL    = "http://tcred/v1/credentials/default"
)

// TestStrictClients is, in the machine, 50 clients that call until the file "stop" is there, and never try twice.
func TestStrictClients(t *testing.T) {
	path := os.Getenv(strictSocket)
	if path == "" {
		return // it is run by another test
	}
	var calls atomic.Int64
	var all sync.WaitGroup
	for range strictCount {
		all.Go(func() {
			for ; !exists("stop"); calls.Add(1) {
				if err := strictCall(path); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	all.Wait()
	fmt.Println("calls:", calls.Load())
}

func exists(path string) bool { _, err := os.Stat(path); return err == nil }

// strictClient makes each request on a connection of its own. net/http tries again only on a connection used before.
func strictClient(path string) *http.Client {
	return &http.Client{Timeout: 10 * time.Second, Transport: &http.Transport{
		DisableKeepAlives: true,
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, "unix", path)
		},
	}}
}

func strictCall(path string) error {
	answer, err := strictClient(path).Get(strictURL)
	if err != nil {
		return err
	}
	answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return fmt.Errorf("got %s", answer.Status)
	}
	return nil
}
