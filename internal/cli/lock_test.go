//go:build unix

package cli

import (
	"context"
	"fmt"
	"net"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gofrs/flock"

	"github.com/tcred/tcred/api"
	"github.com/tcred/tcred/client"
	"github.com/tcred/tcred/credential"
	"github.com/tcred/tcred/emulator"
	"github.com/tcred/tcred/internal/testworld"
	"github.com/tcred/tcred/keystore"
)

// lockWorld is a home with a file keystore, its passphrase in a file, and one key.
type lockWorld struct {
	dir, tcred, socket string
	account            emulator.Account
	sts                *emulator.Emulator
	env                []string
}

const lockPassphrase = "correct horse battery staple, and a canary"

func newLockWorld(t *testing.T, passphraseFile bool) *lockWorld {
	t.Helper()
	w := &lockWorld{dir: testworld.ShortDir(t), account: emulator.NewAccount(false)}
	w.tcred = filepath.Join(testworld.Binaries(t), "tcred")
	w.sts = emulator.New(emulator.Options{Accounts: []emulator.Account{w.account}})
	server := httptest.NewServer(w.sts)
	t.Cleanup(server.Close)
	w.socket = filepath.Join(w.dir, "tcred", "tcred.sock")
	w.env = []string{"HOME=" + w.dir, "XDG_RUNTIME_DIR=" + w.dir, "PATH=" + os.Getenv("PATH")}
	config := fmt.Sprintf("endpoint = %q\n[keystore]\nbackend = \"file\"\n", server.URL)
	if passphraseFile {
		config += fmt.Sprintf("passphrase_file = %q\n", filepath.Join(w.dir, "passphrase"))
	}
	w.put(t, ".config/tcred/config.toml", config)
	w.put(t, "passphrase", lockPassphrase+"\n")
	keys := filepath.Join(w.dir, ".local", "share", "tcred", "keys")
	store, err := keystore.Open(keystore.Options{Backend: "file", FileDir: keys})
	if err != nil {
		t.Fatal(err)
	}
	index := keystore.Index{Path: filepath.Join(w.dir, ".local", "state", "tcred", "keys.json")}
	for _, step := range []func() error{
		func() error { return keystore.CreateFile(keys, lockPassphrase, 10) },
		func() error { return store.Unlock(t.Context(), lockPassphrase) },
		func() error {
			return store.Put(t.Context(), "default", keystore.Key{ID: w.account.SecretID, Secret: w.account.SecretKey})
		},
		func() error {
			return index.Put(t.Context(), keystore.Entry{Name: "default", SecretID: w.account.SecretID})
		},
	} {
		if err := step(); err != nil {
			t.Fatal(err)
		}
	}
	t.Cleanup(func() { w.run("daemon", "stop") })
	return w
}

func (w *lockWorld) put(t *testing.T, name, text string) {
	t.Helper()
	path := filepath.Join(w.dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// ofThisProcess makes this process's own clients mean the world's config.
func (w *lockWorld) ofThisProcess(t *testing.T) {
	t.Setenv(api.EnvConfig, filepath.Join(w.dir, ".config", "tcred", "config.toml"))
}

func (w *lockWorld) run(args ...string) (string, error) {
	cmd := exec.Command(w.tcred, args...)
	cmd.Env = w.env
	out, err := cmd.CombinedOutput()
	return string(out), err
}

func (w *lockWorld) must(t *testing.T, args ...string) string {
	t.Helper()
	out, err := w.run(args...)
	if err != nil {
		t.Fatalf("tcred %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return out
}

func (w *lockWorld) status(t *testing.T) api.Status {
	t.Helper()
	st, err := (&client.Client{Socket: w.socket}).Status(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return st
}

func TestLocksUnderLoadLoseNoCall(t *testing.T) {
	w := newLockWorld(t, true)
	w.ofThisProcess(t)
	w.must(t, "get")
	pid := w.status(t).PID
	var calls, lost atomic.Int32
	ctx, stop := context.WithCancel(t.Context())
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			c := &client.Client{Socket: w.socket}
			for ctx.Err() == nil {
				calls.Add(1)
				if _, err := c.Get(context.Background(), "default", client.Options{Format: credential.Env}); err != nil {
					lost.Add(1)
					t.Log(err)
				}
			}
		})
	}
	for range 10 {
		before := w.status(t)
		w.must(t, "lock")
		if after := w.status(t); after.PID != pid || !after.Started.After(before.Started) {
			t.Errorf("process %d, begun %v; it was %d, %v", after.PID, after.Started, pid, before.Started)
		}
		if free, _ := flock.New(w.socket + ".lock").TryLock(); free {
			t.Fatal("the socket's lock was let go")
		}
	}
	stop()
	all.Wait()
	t.Logf("%d calls, %d lost", calls.Load(), lost.Load())
	if lost.Load() != 0 || calls.Load() < 100 {
		t.Errorf("%d of %d calls are lost", lost.Load(), calls.Load())
	}
	w.must(t, "daemon", "stop")
	if _, err := os.Lstat(w.socket); err == nil {
		t.Error("the socket is left")
	}
}

// Callers who wait for STS while a lock comes get their answer; those for whom it takes too long ask once more.
func TestALockLosesNobodyWhoWaitsForSTS(t *testing.T) {
	for _, delay := range []time.Duration{1500 * time.Millisecond, 7 * time.Second} {
		t.Run(delay.String(), func(t *testing.T) {
			t.Parallel()
			w := newLockWorld(t, true)
			w.must(t, "get") // the daemon runs
			w.must(t, "clear")
			calls := w.sts.Calls("GetFederationToken")
			w.sts.Fail(emulator.Fault{Action: "GetFederationToken", Delay: delay, Times: 1})
			var all sync.WaitGroup
			ask := func() {
				cmd := exec.Command(filepath.Join(filepath.Dir(w.tcred), "tcred-helper"))
				cmd.Env = w.env
				if out, err := cmd.CombinedOutput(); err != nil {
					t.Errorf("%v\n%s", err, out)
				}
			}
			for range 4 {
				all.Go(ask)
			}
			for w.sts.Calls("GetFederationToken") == calls {
				time.Sleep(10 * time.Millisecond)
			}
			all.Go(func() {
				if out, err := w.run("lock"); err != nil || !strings.Contains(out, "forgot") {
					t.Errorf("%v\n%s", err, out)
				}
			})
			time.Sleep(200 * time.Millisecond)
			for range 4 {
				all.Go(ask)
			}
			all.Wait()
		})
	}
}

func TestALockSurvivesThatTheBinaryIsGone(t *testing.T) {
	w := newLockWorld(t, true)
	old := filepath.Join(w.dir, "old")
	if err := os.Mkdir(old, 0o700); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(w.tcred)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(old, "tcred"), text, 0o700); err != nil {
		t.Fatal(err)
	}
	daemon := exec.Command(filepath.Join(old, "tcred"), "daemon")
	daemon.Env = w.env
	if err := daemon.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { daemon.Process.Kill(); daemon.Wait() })
	for range 1000 {
		if _, err := w.run("status"); err == nil {
			break
		}
	}
	if err := os.RemoveAll(old); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		w.must(t, "lock")
		w.must(t, "get")
	}
	if pid := w.status(t).PID; pid != daemon.Process.Pid {
		t.Errorf("process %d answers, %d was started", pid, daemon.Process.Pid)
	}
}

// A keystore that was unlocked for a time ends the time as tcred lock does.
func TestTheEndOfAnUnlockIsALock(t *testing.T) {
	w := newLockWorld(t, false)
	unlock := exec.Command(w.tcred, "unlock", "--passphrase-stdin", "--for", "1s")
	unlock.Env, unlock.Stdin = w.env, strings.NewReader(lockPassphrase)
	if out, err := unlock.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	before := w.status(t)
	for range 1000 {
		if after := w.status(t); after.Started.After(before.Started) {
			if out, err := w.run("get"); err == nil || !strings.Contains(out, "is locked") {
				t.Errorf("%v\n%s", err, out)
			}
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Error("it never began anew")
}

// What systemd passed and wants to hear of stays with the daemon.
func TestALockSurvivesSystemdsSocketAndWatchdog(t *testing.T) {
	w := newLockWorld(t, true)
	if err := os.Mkdir(filepath.Dir(w.socket), 0o700); err != nil {
		t.Fatal(err)
	}
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: w.socket, Net: "unix"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	passed, err := l.File()
	if err != nil {
		t.Fatal(err)
	}
	notified, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: filepath.Join(w.dir, "notify"), Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { notified.Close() })
	daemon := exec.Command("sh", "-c", `LISTEN_PID=$$ WATCHDOG_PID=$$ exec "$0" daemon --service`, w.tcred)
	daemon.ExtraFiles = []*os.File{passed}
	daemon.Env = append(slices.Clone(w.env), "LISTEN_FDS=1", "NOTIFY_SOCKET="+notified.LocalAddr().String(),
		"WATCHDOG_USEC=200000")
	if err := daemon.Start(); err != nil {
		t.Fatal(err)
	}
	passed.Close()
	t.Cleanup(func() { daemon.Process.Kill(); daemon.Wait() })
	await := func(want string) {
		t.Helper()
		buf := make([]byte, 256)
		for {
			if err := notified.SetReadDeadline(time.Now().Add(10 * time.Second)); err != nil {
				t.Fatal(err)
			}
			n, err := notified.Read(buf)
			if err != nil || string(buf[:n]) == "STOPPING=1" {
				t.Fatalf("waiting for %s: %q, %v", want, buf[:n], err)
			}
			if string(buf[:n]) == want {
				return
			}
		}
	}
	await("READY=1")
	for range 2 {
		w.must(t, "lock")
		await("READY=1")
		await("WATCHDOG=1")
		w.must(t, "get")
	}
	if pid := w.status(t).PID; pid != daemon.Process.Pid {
		t.Errorf("process %d answers, %d was started", pid, daemon.Process.Pid)
	}
	w.must(t, "daemon", "stop")
	if _, err := os.Lstat(w.socket); err != nil {
		t.Errorf("the socket was systemd's: %v", err)
	}
}
