//go:build unix

package socket

import (
	"errors"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/tcred/tcred/api"
	"github.com/tcred/tcred/internal/human"
	"github.com/tcred/tcred/internal/testworld"
)

// shortDir is a directory of ours with mode 0700 whose name leaves room for a socket's path.
func shortDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "t")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}

func listen(t *testing.T, path string) net.Listener {
	t.Helper()
	l, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return l
}

func soon() time.Time { return time.Now().Add(10 * time.Second) }

func TestAConnectionCarriesBytesBothWays(t *testing.T) {
	path := filepath.Join(shortDir(t), "s")
	l := listen(t, path)
	go func() {
		c, err := l.Accept()
		if err == nil {
			io.Copy(c, c)
			c.Close()
		}
	}()
	c, err := Dial(path, soon())
	if err != nil {
		t.Fatal(err)
	}
	f, err := c.File()
	if err != nil {
		t.Fatal(err)
	}
	nc, err := net.FileConn(f)
	f.Close()
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	nc.Write([]byte("hello"))
	nc.(*net.UnixConn).CloseWrite()
	if got, err := io.ReadAll(nc); string(got) != "hello" || err != nil {
		t.Errorf("got %q, %v", got, err)
	}
}

func TestNobodyListensIsToldApart(t *testing.T) {
	dir := shortDir(t)
	stale := filepath.Join(dir, "stale")
	l := listen(t, stale)
	l.(*net.UnixListener).SetUnlinkOnClose(false)
	l.Close()
	for _, path := range []string{filepath.Join(dir, "none"), filepath.Join(dir, "no", "dir", "s"), stale} {
		_, err := Dial(path, soon())
		if !errors.Is(err, ErrNotListening) && !errors.Is(err, os.ErrNotExist) || api.CodeOf(err) != api.NoDaemon {
			t.Errorf("%s: got %v", path, err)
		}
	}
}

func TestWhatIsNoSocketIsNamed(t *testing.T) {
	dir := shortDir(t)
	for _, path := range []string{filepath.Join(dir, "file"), filepath.Join(dir, "run")} {
		if err := errors.Join(os.WriteFile(filepath.Join(dir, "file"), nil, 0o600), os.MkdirAll(filepath.Join(dir, "run"), 0o700)); err != nil {
			t.Fatal(err)
		}
		_, err := Dial(path, soon())
		if err == nil || errors.Is(err, ErrNotListening) || !strings.Contains(err.Error(), path) {
			t.Errorf("got %v", err)
		}
	}
}

func TestAnUnsafeDirectoryIsNeverConnectedThrough(t *testing.T) {
	dir := shortDir(t)
	path := filepath.Join(dir, "s")
	l := listen(t, path)
	accepted := make(chan struct{})
	go func() {
		if _, err := l.Accept(); err == nil {
			close(accepted)
		}
	}()
	os.Chmod(dir, 0o750)
	orStart := func(path string, deadline time.Time) (*Conn, error) { return DialOrStart(path, "", deadline) }
	for _, dial := range []func(string, time.Time) (*Conn, error){Dial, orStart} {
		if _, err := dial(path, soon()); api.CodeOf(err) != api.Forbidden {
			t.Errorf("open directory: got %v", err)
		}
	}
	os.Chmod(dir, 0o700)
	link := filepath.Join(shortDir(t), "l")
	os.Symlink(dir, link)
	if _, err := Dial(filepath.Join(link, "s"), soon()); api.CodeOf(err) != api.Forbidden {
		t.Errorf("link: got %v", err)
	}
	if _, err := Dial("/"+strings.Repeat("x", 200), soon()); !strings.Contains(err.Error(), "201 bytes") {
		t.Errorf("too long: got %v", err)
	}
	select {
	case <-accepted:
		t.Error("the server saw a connection")
	default:
	}
}

func TestAServerOfAnotherUidIsRefused(t *testing.T) {
	path := filepath.Join(shortDir(t), "s")
	listen(t, path)
	c, err := Dial(path, soon())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	ours := os.Geteuid()
	err = c.checkServer(path, ours+1)
	if api.CodeOf(err) != api.Forbidden || !strings.Contains(err.Error(), "runs as uid "+human.Itoa(ours, 10)) {
		t.Errorf("got %v", err)
	}
}

// The socket is bound by root in root's directory, then handed to a process of another user that listens on it.
func TestAServerOfAnotherUserIsRefusedByRootToo(t *testing.T) {
	if os.Geteuid() != 0 || runtime.GOOS != "linux" {
		testworld.NeedReal(t, false, "needs root on Linux, to become another user")
	}
	path := filepath.Join(shortDir(t), "s")
	fd, err := newSocket()
	if err != nil {
		t.Fatal(err)
	}
	if err := syscall.Bind(fd, &syscall.SockaddrUnix{Name: path}); err != nil {
		t.Fatal(err)
	}
	f := os.NewFile(uintptr(fd), "s")
	defer f.Close()
	server := exec.Command("/proc/self/exe") // whose path may be closed to the other user
	server.Env, server.ExtraFiles = []string{envRole + "=listen"}, []*os.File{f}
	server.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
	stdin, _ := server.StdinPipe()
	stdout, _ := server.StdoutPipe()
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	defer server.Wait()
	defer stdin.Close()
	stdout.Read(make([]byte, 1)) // it listens
	_, err = Dial(path, soon())
	if api.CodeOf(err) != api.Forbidden || !strings.Contains(err.Error(), "runs as uid 65534") {
		t.Errorf("got %v", err)
	}
}

func TestTheDeadlineEndsAReadAndAWrite(t *testing.T) {
	path := filepath.Join(shortDir(t), "s")
	listen(t, path) // and never answers
	c, err := Dial(path, time.Now().Add(50*time.Millisecond))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if _, err := c.Read(make([]byte, 1)); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("read: %v", err)
	}
	c.deadline = time.Now().Add(50 * time.Millisecond)
	if _, err := c.Write(make([]byte, 16<<20)); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("write: %v", err)
	}
}
