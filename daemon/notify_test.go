//go:build unix

package daemon

import (
	"context"
	"errors"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tcred/tcred/internal/broker/brokertest"
)

// supervisor is systemd's end of the notifications.
type supervisor struct{ *net.UnixConn }

func newSupervisor(t *testing.T, address string) supervisor {
	t.Helper()
	c, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: address, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return supervisor{c}
}

// heard is what came so far.
func (s supervisor) heard(t *testing.T) (states []string) {
	t.Helper()
	s.SetReadDeadline(time.Now().Add(50 * time.Millisecond))
	for buf := make([]byte, 100); ; {
		n, err := s.Read(buf)
		if err != nil {
			return states
		}
		states = append(states, string(buf[:n]))
	}
}

func TestSystemdIsToldOnlyIfItAsks(t *testing.T) {
	t.Setenv("NOTIFY_SOCKET", "")
	n := Notify()
	if n != nil || n.Ready() != nil || n.Stopping() != nil || n.Feed(t.Context(), nil) != nil {
		t.Error("somebody is told")
	}
	t.Setenv("NOTIFY_SOCKET", filepath.Join(socketDir(t), "nobody"))
	if Notify().Ready() == nil {
		t.Error("nobody heard, and that is no error")
	}
}

func TestSystemdHearsOfBeginAndEnd(t *testing.T) {
	addresses := []string{filepath.Join(socketDir(t), "notify")}
	if _, err := os.Stat("/proc/self"); err == nil { // Linux has names apart from the file system
		addresses = append(addresses, "@tcred-test-"+strconv.Itoa(os.Getpid()))
	}
	for _, address := range addresses {
		s := newSupervisor(t, address)
		t.Setenv("NOTIFY_SOCKET", address)
		t.Setenv("WATCHDOG_USEC", "")
		n := Notify()
		if _, ok := os.LookupEnv("NOTIFY_SOCKET"); ok {
			t.Error("a child would notify in our place")
		}
		if n.Ready() != nil || n.Stopping() != nil {
			t.Error("cannot tell")
		}
		if got := s.heard(t); len(got) != 2 || got[0] != "READY=1" || got[1] != "STOPPING=1" {
			t.Errorf("systemd heard %q", got)
		}
	}
}

func TestASystemdThatDoesNotReadHoldsNobodyUp(t *testing.T) {
	s := newSupervisor(t, filepath.Join(socketDir(t), "notify"))
	n := &Notifier{address: s.LocalAddr().String(), patience: 20 * time.Millisecond}
	told := make(chan error)
	go func() {
		for {
			if err := n.Ready(); err != nil {
				told <- err
				return
			}
		}
	}()
	select {
	case err := <-told:
		if !errors.Is(err, os.ErrDeadlineExceeded) && !errors.Is(err, syscall.ENOBUFS) { // ENOBUFS on darwin
			t.Error(err)
		}
	case <-time.After(10 * time.Second):
		t.Error("still telling")
	}
}

func TestTheWatchdogIsOurs(t *testing.T) {
	for name, c := range map[string]struct {
		usec, pid string
		want      time.Duration
	}{
		"none":           {"", "", 0},
		"of any pid":     {"60000000", "", time.Minute},
		"of this pid":    {"2500000", strconv.Itoa(os.Getpid()), 2500 * time.Millisecond},
		"of another pid": {"60000000", "1", 0},
		"no number":      {"soon", "", 0},
		"never":          {"0", "", 0},
	} {
		t.Setenv("NOTIFY_SOCKET", "/nowhere")
		t.Setenv("WATCHDOG_USEC", c.usec)
		t.Setenv("WATCHDOG_PID", c.pid)
		if n := Notify(); n.watchdog != c.want {
			t.Errorf("%s: %s, want %s", name, n.watchdog, c.want)
		}
	}
}

func TestTheWatchdogIsFedWhileTheRefresherComesRound(t *testing.T) {
	s := newSupervisor(t, filepath.Join(socketDir(t), "notify"))
	n := &Notifier{address: s.LocalAddr().String(), watchdog: time.Minute, patience: time.Second}
	brokertest.In(t, 2*time.Hour, func(t *testing.T, w *brokertest.World) {
		b := newBroker(w)
		w.Must(0) // something is in use
		refreshing, hang := context.WithCancel(t.Context())
		defer hang()
		feeding, stop := context.WithCancel(t.Context())
		go b.RunRefresher(refreshing)
		fed := make(chan error)
		go func() { fed <- n.Feed(feeding, b.Alive) }()

		time.Sleep(2*time.Minute + time.Second)
		synctest.Wait()
		if got := s.heard(t); len(got) != 5 || got[4] != "WATCHDOG=1" { // at 0 s, 30 s, ... 120 s
			t.Errorf("systemd heard %q while the refresher turned", got)
		}
		hang() // it turns no more
		time.Sleep(5 * time.Minute)
		synctest.Wait()
		if got := s.heard(t); len(got) != 0 {
			t.Errorf("systemd heard %q after that", got)
		}
		stop()
		if err := <-fed; err != nil {
			t.Error(err)
		}
	})
}

func TestAMessageToSystemdThatIsLostIsNotTheLast(t *testing.T) {
	address := filepath.Join(socketDir(t), "notify")
	synctest.Test(t, func(t *testing.T) {
		n := &Notifier{address: address, watchdog: time.Minute, patience: time.Second}
		go n.Feed(t.Context(), func(context.Context) bool { return true }) // the test's end
		time.Sleep(time.Second)
		s := newSupervisor(t, address)
		time.Sleep(time.Minute)
		synctest.Wait()
		if got := s.heard(t); len(got) != 2 {
			t.Errorf("systemd heard %q", got)
		}
	})
}
