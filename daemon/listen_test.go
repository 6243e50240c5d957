//go:build unix

package daemon

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/tcred/tcred/api"
	"github.com/tcred/tcred/internal/broker/brokertest"
)

// listenHere makes the test binary a daemon that only listens: on the socket it names.
const listenHere = "TCRED_TEST_LISTEN"

func TestMain(m *testing.M) {
	if path := os.Getenv(listenHere); path != "" {
		os.Exit(listenChild(path))
	}
	os.Exit(m.Run())
}

// listenChild says whether it listens, and does until stdin ends.
func listenChild(path string) int {
	l, err := Listen(path)
	if errors.Is(err, ErrRunning) {
		fmt.Println("running")
		return 0
	}
	if err != nil {
		fmt.Println(err)
		return 1
	}
	fmt.Println("listening")
	io.Copy(io.Discard, os.Stdin) // its end is all that counts
	if err := l.Close(); err != nil {
		fmt.Println(err)
		return 1
	}
	return 0
}

// child is a process of listenChild.
type child struct {
	cmd   *exec.Cmd
	stdin io.Closer
	out   *bufio.Reader
}

func startChild(t *testing.T, path string) *child {
	t.Helper()
	return startChildBy(t, path)
}

// startChildBy is startChild by way of another program, such as strace.
func startChildBy(t *testing.T, path string, by ...string) *child {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	command := slices.Concat(by, []string{self, "-test.run=^$"})
	cmd := exec.Command(command[0], command[1:]...)
	cmd.Env = append(os.Environ(), listenHere+"="+path)
	stdin, _ := cmd.StdinPipe()
	out, _ := cmd.StdoutPipe()
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cmd.Process.Kill(); cmd.Wait() }) // it may have ended
	return &child{cmd, stdin, bufio.NewReader(out)}
}

func (c *child) says() string {
	line, _ := c.out.ReadString('\n')
	return strings.TrimSpace(line)
}

// socketPath is a short one: sun_path holds 104 bytes or so.
func socketPath(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "t")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return filepath.Join(dir, "run", "s")
}

func mustListen(t *testing.T, path string) *Listener {
	t.Helper()
	l, err := Listen(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() }) // a test may have done so
	return l
}

func TestTheSocketIsOursAlone(t *testing.T) {
	path := socketPath(t)
	mustListen(t, path)
	for name, want := range map[string]os.FileMode{path: 0o600, filepath.Dir(path): 0o700, path + ".lock": 0o600} {
		if info, err := os.Lstat(name); err != nil || info.Mode().Perm() != want {
			t.Errorf("%s is %v, want %v (%v)", filepath.Base(name), info.Mode().Perm(), want, err)
		}
	}
}

func TestASecondDaemonIsTold(t *testing.T) {
	path := socketPath(t)
	first := mustListen(t, path)
	if _, err := Listen(path); !errors.Is(err, ErrRunning) {
		t.Fatalf("got %v", err)
	}
	mustListen(t, path+"2") // another socket in the same directory is another daemon's
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Lstat(path); !errors.Is(err, os.ErrNotExist) {
		t.Error("the socket was left behind")
	}
	mustListen(t, path)
}

func TestOfRacingDaemonsExactlyOneListens(t *testing.T) {
	path := socketPath(t)
	for round := range 3 {
		children := make([]*child, 4)
		for i := range children {
			children[i] = startChild(t, path)
		}
		said := make(map[string]int)
		for _, c := range children {
			said[c.says()]++
		}
		if said["listening"] != 1 || said["running"] != len(children)-1 {
			t.Errorf("round %d: %v", round, said)
		}
		for _, c := range children {
			c.stdin.Close()
			if err := c.cmd.Wait(); err != nil {
				t.Errorf("round %d: %v", round, err)
			}
		}
	}
}

func TestAKilledDaemonsSocketIsReplaced(t *testing.T) {
	path := socketPath(t)
	c := startChild(t, path)
	if said := c.says(); said != "listening" {
		t.Fatal(said)
	}
	c.cmd.Process.Kill() // Wait tells
	c.cmd.Wait()         // killed
	if info, err := os.Lstat(path); err != nil || info.Mode()&os.ModeSocket == 0 {
		t.Fatal("a killed daemon should have left its socket", err)
	}
	mustListen(t, path)
	conn, err := net.Dial("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	conn.Close()
}

func TestWhatIsNoStaleSocketIsNotDeleted(t *testing.T) {
	for name, put := range map[string]func(string) error{
		"a file":      func(path string) error { return os.WriteFile(path, []byte("precious"), 0o600) },
		"a link":      func(path string) error { return os.Symlink("/nowhere", path) },
		"a directory": func(path string) error { return os.Mkdir(path, 0o700) },
		"a pipe":      func(path string) error { return syscall.Mkfifo(path, 0o600) },
	} {
		t.Run(name, func(t *testing.T) {
			path := socketPath(t)
			if err := os.Mkdir(filepath.Dir(path), 0o700); err != nil {
				t.Fatal(err)
			}
			if err := put(path); err != nil {
				t.Fatal(err)
			}
			before, _ := os.Lstat(path)
			_, err := Listen(path)
			if err == nil || !strings.Contains(err.Error(), path) || errors.Is(err, ErrRunning) {
				t.Errorf("got %v", err)
			}
			if after, err := os.Lstat(path); err != nil || !os.SameFile(before, after) {
				t.Error("it is gone", err)
			}
			os.RemoveAll(path)
			mustListen(t, path) // the lock was let go
		})
	}
}

func TestASocketThatSomebodyAnswersIsNotDeleted(t *testing.T) {
	path := socketPath(t)
	if err := os.Mkdir(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	other, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	if _, err := Listen(path); !errors.Is(err, ErrRunning) {
		t.Errorf("got %v", err)
	}
	if _, err := os.Lstat(path); err != nil {
		t.Error(err)
	}
}

func TestADirectoryOpenToOthersIsRefused(t *testing.T) {
	path := socketPath(t)
	if err := os.Mkdir(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if _, err := Listen(path); err == nil || !strings.Contains(err.Error(), filepath.Dir(path)) {
		t.Errorf("got %v", err)
	}
}

func TestADaemonWhoseSocketIsGoneKnowsAndLeavesTheNextOnesAlone(t *testing.T) {
	watch := watchEvery
	watchEvery = 5 * time.Millisecond
	t.Cleanup(func() { watchEvery = watch })
	path := socketPath(t)
	l := mustListen(t, path)
	gone := make(chan struct{})
	go l.Watch(t.Context(), func() { close(gone) })
	select {
	case <-gone:
		t.Fatal("gone while it is there")
	case <-time.After(50 * time.Millisecond):
	}
	os.Remove(path)
	other, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"}) // may well get the same inode
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	select {
	case <-gone:
	case <-time.After(10 * time.Second):
		t.Fatal("not noticed")
	}
	if err := l.Close(); err != nil {
		t.Error(err)
	}
	if _, err := os.Lstat(path); err != nil {
		t.Error("the other's socket was removed")
	}
}

// Once it is closed, the next socket may get its inode.
func TestClosingAgainLeavesTheNextSocketAlone(t *testing.T) {
	path := socketPath(t)
	l := mustListen(t, path)
	if err := l.Close(); err != nil {
		t.Error(err)
	}
	other, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	if err := l.Close(); err != nil {
		t.Error(err)
	}
	if _, err := os.Lstat(path); err != nil {
		t.Error("the other's socket was removed")
	}
}

// The whole server on a real socket, with the kernel's word for who connected.
func TestOverARealSocket(t *testing.T) {
	path := socketPath(t)
	l := mustListen(t, path)
	w := brokertest.New(t, 2*time.Hour)
	w.STS.Latency = 0
	s := newService(w)
	peers := make(chan Peer, 1)
	s.server.UID = os.Geteuid()
	s.server.Peer = func(c net.Conn) (Peer, error) {
		peer, err := PeerOf(c)
		peers <- peer
		return peer, err
	}
	ctx, stop := context.WithCancel(context.Background())
	go func() { s.ended <- s.server.Serve(ctx, l) }()
	transport := &http.Transport{DialContext: func(context.Context, string, string) (net.Conn, error) { return net.Dial("unix", path) }}
	answer, err := (&http.Client{Transport: transport}).Get("http://tcred" + api.PathCredentials + "p")
	if err != nil {
		t.Fatal(err)
	}
	text, _ := io.ReadAll(answer.Body)
	answer.Body.Close()
	if answer.StatusCode != 200 || !strings.Contains(string(text), `"AccessKeyId":"tmp-1"`) {
		t.Errorf("%d %s", answer.StatusCode, text)
	}
	if peer := <-peers; peer.UID != os.Geteuid() || peer.PID != os.Getpid() {
		t.Errorf("the peer is %+v", peer)
	}
	stop()
	if err := <-s.ended; err != nil {
		t.Error(err)
	}
}

// A daemon that still owes an answer is in nobody's way: a helper's start, and a tcred daemon stop before it, wait for
// none.
func TestTheNextDaemonListensWhileTheLastOneFinishes(t *testing.T) {
	path := socketPath(t)
	l := mustListen(t, path)
	w := brokertest.New(t, 2*time.Hour)
	w.STS.Latency = 3 * time.Second
	s := newService(w)
	s.server.UID, s.server.Peer = os.Geteuid(), PeerOf
	ctx, stop := context.WithCancel(context.Background())
	go func() { s.ended <- s.server.Serve(ctx, l) }()
	transport := &http.Transport{DialContext: func(context.Context, string, string) (net.Conn, error) { return net.Dial("unix", path) }}
	answered := make(chan error, 1)
	go func() {
		answer, err := (&http.Client{Transport: transport}).Get("http://tcred" + api.PathCredentials + "p")
		if err == nil && answer.StatusCode != 200 {
			err = errors.New(answer.Status)
		}
		answered <- err
	}()
	for !s.server.busy.any() {
		time.Sleep(time.Millisecond)
	}
	stop()
	for end := time.Now().Add(2 * time.Second); ; time.Sleep(time.Millisecond) {
		next, err := Listen(path)
		if err == nil {
			defer next.Close()
			break
		}
		if time.Now().After(end) {
			t.Fatal(err)
		}
	}
	if len(s.ended) > 0 {
		t.Error("the last one had finished already")
	}
	if err := errors.Join(<-answered, <-s.ended); err != nil {
		t.Error(err)
	}
	if _, err := os.Lstat(path); err != nil {
		t.Error("the last one took the next one's socket away")
	}
}

func TestThePeerOfAnythingButASocketIsUnknown(t *testing.T) {
	a, b := net.Pipe()
	defer a.Close()
	defer b.Close()
	if p, err := PeerOf(a); err == nil {
		t.Errorf("a pipe's peer is %+v", p)
	}
}
