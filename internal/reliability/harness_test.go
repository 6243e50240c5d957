package reliability

import (
	"context"
	"errors"
	"fmt"
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
	"github.com/tcred/tcred/client"
	"github.com/tcred/tcred/credential"
	"github.com/tcred/tcred/daemon"
	"github.com/tcred/tcred/internal/testworld"
)

// needReal is testworld.NeedReal for the tests here: they run real processes for long.
func needReal(t *testing.T) {
	t.Helper()
	testworld.NeedReal(t, runtime.GOOS == "linux", "needs Linux, with paths of Debian, and runs real processes for minutes")
}

// tags are the build tags of the binaries of a world.
type tags string

const (
	shipped tags = ""          // as people get them
	scaled  tags = "timescale" // the refresh engine's times are divided by loadScale
)

func TestMain(m *testing.M) { os.Exit(testworld.Run(m)) }

// binaries is the directory of tcred and tcred-helper, built once a run with these tags.
func binaries(t *testing.T, with tags) string {
	t.Helper()
	if with == shipped {
		return testworld.Binaries(t)
	}
	return testworld.Binaries(t, "-tags", string(with))
}

// world is one test's own: a directory that is HOME and all else, binaries, a key in a dir keystore, an STS.
// When the test ends, every daemon of it has ended too.
type world struct {
	t      *testing.T
	dir    string // short, for the socket's path
	bin    string
	socket string
	config string // path of config.toml
	cache  string // directory of the sealed entries
	log    string // of daemons that w.start ran; others log to state/tcred/daemon.log
	cloud  *cloud
	client *client.Client
}

// newWorld makes a world whose binaries are built with these tags. settings are lines of config.toml: top-level ones
// first, then tables such as [profiles.NAME].
func newWorld(t *testing.T, with tags, settings string) *world {
	t.Helper()
	bin := binaries(t, with)
	dir, err := os.MkdirTemp("/tmp", "tcred-r-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	w := &world{
		t: t, dir: dir, bin: bin, socket: filepath.Join(dir, "run", "tcred.sock"), config: filepath.Join(dir, "config.toml"),
		cache: filepath.Join(dir, "cache"), log: filepath.Join(dir, "daemon.log"), cloud: newCloud(t),
	}
	keys := filepath.Join(dir, "keys")
	top, tables, _ := strings.Cut(settings, "[")
	if tables != "" {
		tables = "[" + tables
	}
	config := fmt.Sprintf("endpoint = %q\n%s\n[keystore]\nbackend = \"dir\"\ndir = %q\n\n%s", w.cloud.url(), top, keys, tables)
	key := w.cloud.account.SecretID + "\n" + w.cloud.account.SecretKey.Reveal() + "\n"
	for _, err := range []error{
		os.Mkdir(keys, 0o700),
		os.WriteFile(filepath.Join(keys, "tcred.key.default"), []byte(key), 0o600),
		os.WriteFile(w.config, []byte(config), 0o600),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	t.Setenv(api.EnvConfig, w.config) // the client says which config it means
	w.client = &client.Client{Socket: w.socket}
	t.Cleanup(w.end)
	return w
}

// env is the environment of the world's processes.
func (w *world) env() []string {
	at := func(name string) string { return filepath.Join(w.dir, name) }
	return []string{
		"PATH=" + w.bin + string(filepath.ListSeparator) + "/usr/bin:/bin", "HOME=" + w.dir, "LANG=C.UTF-8",
		api.EnvSocket + "=" + w.socket, api.EnvConfig + "=" + w.config, api.EnvCacheDir + "=" + w.cache,
		"XDG_RUNTIME_DIR=" + at("run"), "XDG_CONFIG_HOME=" + at("config"), "XDG_CACHE_HOME=" + at("xdgcache"),
		"XDG_STATE_HOME=" + at("state"), "XDG_DATA_HOME=" + at("data"),
		"DBUS_SESSION_BUS_ADDRESS=unix:path=" + at("no-bus"),
	}
}

// command is tcred or tcred-helper in the world; ctx ends it.
func (w *world) command(ctx context.Context, name string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, filepath.Join(w.bin, name), args...)
	cmd.Env, cmd.Dir = w.env(), w.dir
	return cmd
}

// start runs a daemon as a child of the test, its log going to w.log, and waits until it listens.
func (w *world) start() *exec.Cmd {
	w.t.Helper()
	cmd := w.command(context.Background(), "tcred", "daemon")
	log, err := os.OpenFile(w.log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		w.t.Fatal(err)
	}
	defer log.Close()
	cmd.Stderr = log
	if err := cmd.Start(); err != nil {
		w.t.Fatal(err)
	}
	go cmd.Wait() // reaps it; w.end sees that it is gone
	if !w.listens(cmd.Process.Pid) {
		w.t.Fatalf("no daemon listens after 10 s; its log ends with\n%s", w.logTail())
	}
	return cmd
}

func (w *world) listens(pid int) bool {
	for range 1000 {
		if st, err := w.client.Status(context.Background()); err == nil && st.PID == pid {
			return true
		}
		time.Sleep(10 * time.Millisecond)
	}
	return false
}

// get is a credential of the profile from the daemon.
func (w *world) get(profile string) (credential.Credential, error) {
	return w.client.Credential(context.Background(), profile, 0)
}

// pid is the process that made the socket, 0 if nobody listens. A daemon that hangs is found too: the kernel tells.
func (w *world) pid() int {
	c, err := net.Dial("unix", w.socket)
	if err != nil {
		return 0
	}
	defer c.Close()
	peer, err := daemon.PeerOf(c)
	if err != nil {
		w.t.Errorf("who listens on %s? %v", w.socket, err)
	}
	return peer.PID
}

// end stops the daemon, kills it if it does not obey, and tells of its log if the test failed.
func (w *world) end() {
	for pid := w.pid(); pid != 0; pid = w.pid() {
		w.client.Stop(context.Background()) // what counts is that it goes
		if !gone(pid, 12*time.Second) {
			w.t.Errorf("the daemon, process %d, does not stop", pid)
			kill(pid)
			gone(pid, time.Second)
		}
	}
	if w.t.Failed() {
		w.t.Logf("the daemon's log ends with\n%s", w.logTail())
	}
}

// kill ends a process of this world with SIGKILL.
func kill(pid int) {
	if p, err := os.FindProcess(pid); err == nil {
		p.Kill() // it may be gone already
	}
}

// gone waits until the process is.
func gone(pid int, limit time.Duration) bool {
	for end := time.Now().Add(limit); time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
		if p, err := os.FindProcess(pid); err != nil || errors.Is(p.Signal(syscall.Signal(0)), os.ErrProcessDone) {
			return true
		}
	}
	return false
}

// logTail is what the last daemons said, those that a helper started included.
func (w *world) logTail() string {
	const most = 4000
	var tail strings.Builder
	for _, path := range []string{w.log, filepath.Join(w.dir, "state", "tcred", "daemon.log")} {
		text, _ := os.ReadFile(path) // not every world has both
		tail.Write(text[max(0, len(text)-most):])
	}
	return tail.String()
}
