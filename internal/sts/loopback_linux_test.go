package sts

import (
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"os"
	"runtime"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/tcred/tcred/api"
	"github.com/tcred/tcred/internal/testworld"
)

func TestWhoListensIsReadFromTheKernelsTables(t *testing.T) {
	const ours, theirs = 1000, 65534
	client, server := netip.MustParseAddrPort("127.0.0.1:40000"), netip.MustParseAddrPort("127.0.0.1:8085")
	row := func(local, remote, state string, uid int) string {
		const queues = "00000000:00000000 00:00000000 00000000"
		return fmt.Sprintf("   0: %s %s %s %s  %d        0 1 1 0\n", local, remote, state, queues, uid)
	}
	const none = "00000000:0000"
	const mapped = "0000000000000000FFFF00000100007F"
	ourListener, accepted := row("0100007F:1F95", none, "0A", ours), row("0100007F:1F95", "0100007F:9C40", "01", theirs)
	for label, tt := range map[string]struct {
		table    string
		stranger bool
	}{
		"nothing":                 {"", false},
		"ours":                    {ourListener, false},
		"root's":                  {row("0100007F:1F95", none, "0A", 0), false},
		"theirs":                  {row("0100007F:1F95", none, "0A", theirs), true},
		"theirs, on all":          {row("00000000:1F95", none, "0A", theirs), true},
		"theirs, on all by IPv6":  {row(strings.Repeat("0", 32)+":1F95", none, "0A", theirs), true},
		"theirs, another port":    {row("0100007F:1F96", none, "0A", theirs), false},
		"theirs, another address": {row("0200007F:1F95", none, "0A", theirs), false},
		"ours and theirs":         {ourListener + row("00000000:1F95", none, "0A", theirs), true},
		"accepted by them before": {ourListener + accepted, true},
		"another's connection":    {row("0100007F:1F95", "0100007F:9C41", "01", theirs), false},
		"a client of theirs":      {row("0100007F:9C40", "0100007F:1F95", "01", theirs), false},
		"mapped":                  {row(mapped+":1F95", mapped+":9C40", "01", theirs), true},
	} {
		if uid, is := strangerIn(tt.table, client, server, ours); is != tt.stranger || is && uid != theirs {
			t.Errorf("%s: uid %d, %v", label, uid, is)
		}
	}
	six := netip.MustParseAddrPort("[::1]:8085")
	table := row("00000000000000000000000001000000:1F95", none, "0A", theirs)
	if _, is := strangerIn(table, netip.MustParseAddrPort("[::1]:40000"), six, ours); !is {
		t.Error("a listener on ::1 is not seen")
	}
}

// strangersListener listens as another user would: the kernel notes who made a socket.
func strangersListener(t *testing.T, network, address string) net.Listener {
	t.Helper()
	type made struct {
		l   net.Listener
		err error
	}
	done := make(chan made)
	go func() {
		runtime.LockOSThread() // never unlocked: the thread, with its uid, ends with the goroutine
		syscall.Setfsuid(65534)
		l, err := net.Listen(network, address)
		done <- made{l, err}
	}()
	m := <-done
	if m.err != nil {
		t.Skipf("%s: %v", address, m.err)
	}
	t.Cleanup(func() { m.l.Close() })
	return m.l
}

func TestAStrangersServerOnLoopbackIsToldNothing(t *testing.T) {
	testworld.NeedReal(t, os.Geteuid() == 0, "needs root, to listen as another user")
	for _, address := range []string{"127.0.0.1:0", "[::1]:0", "0.0.0.0:0", "[::]:0"} {
		l := strangersListener(t, "tcp", address)
		var asked atomic.Int32
		go http.Serve(l, http.HandlerFunc(func(http.ResponseWriter, *http.Request) { asked.Add(1) }))
		port := l.Addr().(*net.TCPAddr).Port
		hosts := []string{"127.0.0.1", "localhost"}
		if strings.HasPrefix(address, "[::1]") {
			hosts = []string{"[::1]"}
		}
		for _, host := range hosts {
			c := newClient(t, Options{Endpoint: mustURL(t, fmt.Sprintf("http://%s:%d", host, port))})
			_, err := federate(t, c, FederationRequest{})
			if api.CodeOf(err) != api.Unreachable || !strings.Contains(err.Error(), "another user (uid 65534)") {
				t.Errorf("%s at %s: %v", host, address, err)
			}
			if _, err := c.Probe(t.Context()); !strings.Contains(fmt.Sprint(err), "another user (uid 65534)") {
				t.Errorf("%s at %s: the probe: %v", host, address, err)
			}
		}
		if n := asked.Load(); n != 0 {
			t.Errorf("%s: asked %d times", address, n)
		}
	}
}
