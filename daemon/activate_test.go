//go:build unix

package daemon

import (
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// socketDir is a directory whose path leaves room for a socket's.
func socketDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("/tmp", "tcred")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}

// listening is a unix socket as systemd holds it: a file, and its path.
func listening(t *testing.T) (*os.File, string) {
	t.Helper()
	path := filepath.Join(socketDir(t), "s")
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
	if err != nil {
		t.Fatal(err)
	}
	l.SetUnlinkOnClose(false)
	defer l.Close()
	f, err := l.File()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return f, path
}

const activatedChild = "TCRED_TEST_ACTIVATED"

// TestActivatedChild is the daemon's part in TestWaitingConnectionsAreServedByTheNextDaemon, in a process of its own.
func TestActivatedChild(t *testing.T) {
	word := os.Getenv(activatedChild)
	if word == "" {
		return
	}
	os.Setenv("LISTEN_PID", strconv.Itoa(os.Getpid())) // systemd sets it between fork and exec
	l, err := Inherited()
	if err != nil || l == nil {
		t.Fatalf("got %v, %v", l, err)
	}
	for _, kv := range os.Environ() {
		if strings.HasPrefix(kv, "LISTEN_") {
			t.Errorf("%s is still there", kv)
		}
	}
	for fd := firstPassed; fd < 64; fd++ {
		flags, err := unix.FcntlInt(uintptr(fd), unix.F_GETFD, 0)
		listens, _ := unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_ACCEPTCONN)
		if err == nil && flags&unix.FD_CLOEXEC == 0 && listens == 1 {
			t.Errorf("a child would inherit the socket as file %d", fd)
		}
	}
	c, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	peer, err := PeerOf(c)
	if err != nil || peer.UID != os.Geteuid() {
		t.Errorf("got peer %v, %v", peer, err)
	}
	fmt.Fprintf(c, "%s at %s", word, l.Addr())
	c.Close()
	l.Close()
}

func TestWaitingConnectionsAreServedByTheNextDaemon(t *testing.T) {
	file, path := listening(t)
	var clients [2]net.Conn
	for i := range clients {
		c, err := net.Dial("unix", path)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		clients[i] = c
	}
	for i, word := range []string{"first", "second"} {
		cmd := exec.Command(os.Args[0], "-test.run=^TestActivatedChild$")
		cmd.Env = append(os.Environ(), activatedChild+"="+word, "LISTEN_FDS=1", "LISTEN_FDNAMES=tcred.socket")
		cmd.ExtraFiles = []*os.File{file}
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		clients[i].SetDeadline(time.Now().Add(5 * time.Second))
		got, err := io.ReadAll(clients[i])
		if want := word + " at " + path; err != nil || string(got) != want {
			t.Errorf("got %q, %v, want %q", got, err, want)
		}
	}
	if _, err := os.Lstat(path); err != nil {
		t.Errorf("the daemon removed systemd's socket: %v", err)
	}
}

func TestNothingIsInheritedThatWasNotPassedToUs(t *testing.T) {
	self := strconv.Itoa(os.Getpid())
	for name, c := range map[string]struct {
		pid, count string
		fails      bool
	}{
		"no activation":     {"", "", false},
		"a parent's":        {strconv.Itoa(os.Getppid()), "1", false},
		"no pid":            {"", "1", false},
		"no file":           {self, "0", false},
		"no number":         {self, "one", true},
		"less than none":    {self, "-1", true},
		"more than one":     {self, "2", true},
		"more than a table": {self, "99999999999", true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Setenv("LISTEN_PID", c.pid)
			t.Setenv("LISTEN_FDS", c.count)
			t.Setenv("LISTEN_FDNAMES", "x")
			files := openFiles()
			l, err := Inherited()
			if left := openFiles(); !slices.Equal(left, files) {
				t.Errorf("the process had files %v, it has %v", files, left)
			}
			if l != nil || (err != nil) != c.fails {
				t.Errorf("got %v, %v", l, err)
			}
			for _, variable := range []string{"LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES"} {
				if _, ok := os.LookupEnv(variable); ok {
					t.Errorf("%s is still there", variable)
				}
			}
		})
	}
}

// openFiles lists the low file numbers that this process has in use.
func openFiles() (open []int) {
	for fd := range 64 {
		if _, err := unix.FcntlInt(uintptr(fd), unix.F_GETFD, 0); err == nil {
			open = append(open, fd)
		}
	}
	return open
}

func TestOnlyAUnixSocketThatListensIsTaken(t *testing.T) {
	socket := func(domain, kind int) func(*testing.T) *os.File {
		return func(t *testing.T) *os.File {
			fd, err := unix.Socket(domain, kind, 0)
			if err != nil {
				t.Fatal(err)
			}
			return os.NewFile(uintptr(fd), "socket")
		}
	}
	for name, file := range map[string]func(*testing.T) *os.File{
		"a regular file": func(t *testing.T) *os.File {
			f, err := os.Open(os.Args[0])
			if err != nil {
				t.Fatal(err)
			}
			return f
		},
		"a socket that does not listen": socket(unix.AF_UNIX, unix.SOCK_STREAM),
		"a datagram socket":             socket(unix.AF_UNIX, unix.SOCK_DGRAM),
		"a TCP listener": func(t *testing.T) *os.File {
			l, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			defer l.Close()
			f, err := l.(*net.TCPListener).File()
			if err != nil {
				t.Fatal(err)
			}
			return f
		},
	} {
		t.Run(name, func(t *testing.T) {
			f := file(t)
			defer f.Close()
			if l, err := listenerOf(f); err == nil {
				t.Errorf("taken: %v", l)
			} else {
				t.Log(err)
			}
		})
	}
}
