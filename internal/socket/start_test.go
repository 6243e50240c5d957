//go:build unix

package socket

import (
	"bytes"
	"encoding/json"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/tcred/tcred/api"
	"github.com/tcred/tcred/internal/testworld"
)

// house is a directory with a program that asks, the fake daemon beside it, and the socket's place.
type house struct {
	dir, asker, socket, log string
}

func newHouse(t *testing.T) house {
	t.Helper()
	dir := shortDir(t)
	h := house{dir, filepath.Join(dir, "asker"), filepath.Join(dir, "run", "s"), filepath.Join(dir, "log")}
	own, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	self, err := os.ReadFile(own)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(h.asker, self, 0o700); err != nil {
		t.Fatal(err)
	}
	fake, err := os.ReadFile(filepath.Join(testworld.BuildUnmeasured(t, "./testdata/fake"), "fake"))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "tcred"), fake, 0o700); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		for _, pid := range h.events(t, "") {
			syscall.Kill(pid, syscall.SIGKILL)
		}
	})
	return h
}

// ask is the program, which asks within timeout; mode steers the fake.
func (h house) ask(mode string, timeout time.Duration, env ...string) *exec.Cmd {
	cmd := exec.Command(h.asker)
	cmd.Env = append([]string{
		envRole + "=ask", "SOCKET_TEST_TIMEOUT=" + timeout.String(), "HOME=" + h.dir, api.EnvSocket + "=" + h.socket,
		"TCRED_FAKE=" + mode, "TCRED_FAKE_LOG=" + h.log, "GOCOVERDIR=" + os.Getenv("GOCOVERDIR"),
	}, env...)
	return cmd
}

// events are the process ids of the fakes that logged event, or anything.
func (h house) events(t *testing.T, event string) (pids []int) {
	text, _ := os.ReadFile(h.log)
	for line := range strings.Lines(string(text)) {
		name, pid, _ := strings.Cut(strings.TrimSpace(line), " ")
		if n, err := strconv.Atoi(pid); err == nil && (event == "" || name == event) {
			pids = append(pids, n)
		}
	}
	return pids
}

func TestTheDaemonInheritsOnlyWhatItNeeds(t *testing.T) {
	h := newHouse(t)
	cmd := h.ask("", 10*time.Second, "USER=u", "PATH=/bin", "LANG=C", "XDG_CACHE_HOME=/c", "DBUS_SESSION_BUS_ADDRESS=unix:path=/x",
		"TENCENTCLOUD_SECRET_KEY=k", "HTTPS_PROXY=http://p", "LD_PRELOAD=", "HOMER=x", "LC_ALL=C", "SSH_AUTH_SOCK=/s")
	leak, err := os.Create(filepath.Join(h.dir, "leak"))
	if err != nil {
		t.Fatal(err)
	}
	defer leak.Close()
	read, write, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer read.Close()
	defer write.Close()
	cmd.ExtraFiles = []*os.File{leak, read, nil, write}
	if out, err := cmd.CombinedOutput(); string(out) != "ok\n" {
		t.Fatalf("%v %s", err, out)
	}
	c, err := Dial(h.socket, soon()) // it answers once it wrote down what it has
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	io.WriteString(c, "GET / HTTP/1.0\r\n\r\n")
	c.Read(make([]byte, 1))
	env := []string{
		"DBUS_SESSION_BUS_ADDRESS=unix:path=/x", "HOME=" + h.dir, "LANG=C", "PATH=/bin", "TCRED_FAKE=", "TCRED_FAKE_LOG=" + h.log,
		"TCRED_SOCKET=" + h.socket, "USER=u", "XDG_CACHE_HOME=/c",
	}
	launcher, daemon := h.inherited(t, "launch"), h.inherited(t, "start")
	for _, got := range []inheritance{launcher, daemon} {
		if slices.Sort(got.Env); !slices.Equal(got.Env, env) || got.Dir != "/" {
			t.Errorf("environment %q, want %q; directory %s", got.Env, env, got.Dir)
		}
	}
	if !slices.Equal(launcher.Args, []string{"daemon", "--background"}) {
		t.Errorf("it was started as %q", launcher.Args)
	}
	if want := []string{"/dev/null", "/dev/null", "/dev/null"}; runtime.GOOS == "linux" {
		if !slices.Equal(launcher.Files[:3], want) || !slices.Equal(daemon.Files[:3], want) {
			t.Errorf("standard files %q, then %q", launcher.Files, daemon.Files)
		}
		if rest := daemon.Files[3:]; len(rest) != 1 || !strings.HasPrefix(rest[0], "socket:") { // its own
			t.Errorf("the daemon has files %q", rest)
		}
	}
	if daemon.Umask != 0o077 || !daemon.Leader {
		t.Errorf("got %+v", daemon)
	}
}

// inheritance is what a fake found itself with.
type inheritance struct {
	Args, Env, Files []string
	Dir              string
	Umask            int
	Leader           bool
}

func (h house) inherited(t *testing.T, event string) (got inheritance) {
	t.Helper()
	text, err := os.ReadFile(h.log + "." + event)
	if err == nil {
		err = json.Unmarshal(text, &got)
	}
	if err != nil {
		t.Fatal(err)
	}
	return got
}

// A host of the Go client has threads that make files and children meanwhile.
func TestTheAskerKeepsItsUmaskAndItsFilesAsTheyAre(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("needs /proc")
	}
	h := newHouse(t)
	cmd := h.ask("", 10*time.Second, envRole+"=ask and watch")
	file, err := os.Open(h.dir)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	cmd.ExtraFiles = []*os.File{file}
	if out, err := cmd.CombinedOutput(); string(out) != "ok\n" {
		t.Errorf("%v %s", err, out)
	}
}

// A program that waits for all its children, as a shell or a script does, must not wait for the daemon.
func TestTheDaemonIsNobodysChild(t *testing.T) {
	h := newHouse(t)
	cmd := h.ask("", 10*time.Second, envRole+"=ask and wait")
	timer := time.AfterFunc(20*time.Second, func() { cmd.Process.Kill() })
	defer timer.Stop()
	if out, err := cmd.CombinedOutput(); string(out) != "no child is left\n" || len(h.events(t, "listen")) != 1 {
		t.Errorf("%v, %s", err, out)
	}
}

// A shell's <(command) is such a file.
func TestTheAskerKeepsItsFilesForWhatItBecomes(t *testing.T) {
	h := newHouse(t)
	name := filepath.Join(h.dir, "file")
	if err := os.WriteFile(name, []byte("still open"), 0o600); err != nil {
		t.Fatal(err)
	}
	file, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	cmd := h.ask("", 10*time.Second, envRole+"=ask and become")
	cmd.ExtraFiles = []*os.File{file}
	if out, err := cmd.CombinedOutput(); string(out) != "still open" || len(h.events(t, "listen")) != 1 {
		t.Errorf("%v, %s", err, out)
	}
}

func TestHowAStartEnds(t *testing.T) {
	for _, tt := range []struct {
		mode, want string
		timeout    time.Duration
		starts     int
	}{
		{"", "ok\n", 10 * time.Second, 1},
		{"busy", "ok\n", 10 * time.Second, 2}, // another daemon was about to end
		{"crash", "ended as soon as it was started (exit status 1)\n", 10 * time.Second, 1},
		{"die", "tcred: error: the daemon ended as soon as it was started (exit status 3)\n" +
			"tcred: hint: see tcred logs, or run it in the foreground: tcred daemon\n", 10 * time.Second, 1},
		{"mute", "in time\n", 300 * time.Millisecond, 1},
	} {
		t.Run("fake"+tt.mode, func(t *testing.T) {
			h := newHouse(t)
			out, err := h.ask(tt.mode, tt.timeout).Output()
			if err != nil || !bytes.Contains(out, []byte(tt.want)) {
				t.Errorf("%v %s", err, out)
			}
			if n := len(h.events(t, "start")); n != tt.starts {
				t.Errorf("%d starts, want %d", n, tt.starts)
			}
		})
	}
}

func TestAProgramBehindALinkFindsTheDaemonBesideItself(t *testing.T) {
	h := newHouse(t)
	link := filepath.Join(shortDir(t), "elsewhere")
	if err := os.Symlink(h.asker, link); err != nil {
		t.Fatal(err)
	}
	cmd := h.ask("", 10*time.Second)
	cmd.Path = link
	if out, _ := cmd.Output(); string(out) != "ok\n" {
		t.Errorf("got %s", out)
	}
}

func TestADaemonOnPATHIsNotStarted(t *testing.T) {
	h := newHouse(t)
	alone := filepath.Join(shortDir(t), "asker")
	if err := os.Rename(h.asker, alone); err != nil {
		t.Fatal(err)
	}
	cmd := h.ask("", 10*time.Second, "PATH="+h.dir)
	cmd.Path = alone
	out, _ := cmd.Output()
	if !strings.Contains(string(out), `no "`+filepath.Dir(alone)+`/tcred" beside this program`) || len(h.events(t, "")) != 0 {
		t.Errorf("got %s", out)
	}
}

func TestALinkInPlaceOfTheLockIsNotFollowed(t *testing.T) {
	h := newHouse(t)
	if err := MakeDir(filepath.Dir(h.socket)); err != nil {
		t.Fatal(err)
	}
	target := filepath.Join(h.dir, "target")
	os.Symlink(target, filepath.Join(filepath.Dir(h.socket), "start.lock"))
	out, _ := h.ask("", 10*time.Second).Output()
	if _, err := os.Lstat(target); err == nil || !strings.Contains(string(out), "start.lock") {
		t.Errorf("%v %s", err, out)
	}
}

func TestAStarterThatHangsDelaysTheOthersOnlyToTheirDeadline(t *testing.T) {
	h := newHouse(t)
	if err := MakeDir(filepath.Dir(h.socket)); err != nil {
		t.Fatal(err)
	}
	f, err := os.OpenFile(filepath.Join(filepath.Dir(h.socket), "start.lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX); err != nil {
		t.Fatal(err)
	}
	out, _ := h.ask("", 200*time.Millisecond).Output()
	if !strings.Contains(string(out), "in time") || len(h.events(t, "start")) != 0 {
		t.Errorf("got %s", out)
	}
}

// A program that lives on, such as one with the Go client in it, must not keep a dead daemon as a zombie.
func TestADaemonThatEndsLeavesNoZombie(t *testing.T) {
	h := newHouse(t)
	cmd := h.ask("once", 10*time.Second)
	stdin, _ := cmd.StdinPipe()
	stdout, _ := cmd.StdoutPipe()
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer cmd.Wait()
	defer stdin.Close()
	stdout.Read(make([]byte, 3))
	pid := h.events(t, "listen")[0]
	for end := soon(); time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
		if syscall.Kill(pid, 0) == syscall.ESRCH {
			return
		}
	}
	t.Error("the daemon is still there")
}
