package cli

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/tcred/tcred/credential"
	"github.com/tcred/tcred/keystore"
)

// fileStore is a file keystore with its index, for processes that share it.
type fileStore struct {
	bin, home, keys, passphrase string
}

func newFileStore(t *testing.T) fileStore {
	t.Helper()
	cmd, home := alone(t)
	s := fileStore{cmd.Path, home, filepath.Join(home, ".local", "share", "tcred", "keys"), filepath.Join(home, "passphrase")}
	config := filepath.Join(home, ".config", "tcred", "config.toml")
	if err := errors.Join(
		keystore.CreateFile(s.keys, "passphrase", 10),
		os.WriteFile(s.passphrase, []byte("passphrase"), 0o600),
		os.MkdirAll(filepath.Dir(config), 0o700),
		os.WriteFile(config, fmt.Appendf(nil, "[keystore]\nbackend = 'file'\npassphrase_file = '%s'\n", s.passphrase), 0o600),
	); err != nil {
		t.Fatal(err)
	}
	return s
}

func (s fileStore) index() keystore.Index {
	return keystore.Index{Path: filepath.Join(s.home, ".local", "state", "tcred", "keys.json")}
}

// held is the SecretId of key "k" in the keystore, and as the index has it.
func (s fileStore) held(t *testing.T) (stored, indexed string) {
	t.Helper()
	store, err := keystore.Open(keystore.Options{Backend: "file", FileDir: s.keys, PassphraseFile: s.passphrase})
	if err != nil {
		t.Fatal(err)
	}
	key, err := store.Get(t.Context(), "k")
	if err != nil {
		t.Fatal(err)
	}
	entries, err := s.index().Load()
	if err != nil || len(entries) != 1 {
		t.Fatalf("the index has %v, %v", entries, err)
	}
	return key.ID, entries[0].SecretID
}

// addProcess is a tcred add of key "k" that waits for the end of its SecretKey.
type addProcess struct {
	*exec.Cmd
	said  bytes.Buffer
	stdin *os.File
}

func secretID(i int) string { return fmt.Sprintf("AKID%032d", i) }

// add starts one, and returns when it reads the SecretKey.
func (s fileStore) add(t *testing.T, i int, flags ...string) *addProcess {
	t.Helper()
	read, write, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	args := append([]string{"add", "k", "--no-verify", "--secret-id", secretID(i), "--secret-key-stdin"}, flags...)
	a := &addProcess{Cmd: exec.CommandContext(t.Context(), s.bin, args...), stdin: write}
	a.Env = []string{"HOME=" + s.home, "XDG_RUNTIME_DIR=" + s.home}
	a.Stdin, a.Stderr = read, &a.said
	t.Cleanup(func() { read.Close(); write.Close() })
	if err := a.Start(); err != nil {
		t.Fatal(err)
	}
	fmt.Fprintf(write, "%032d", i)
	for until := time.Now().Add(10 * time.Second); ; time.Sleep(time.Millisecond) {
		unread, err := unix.IoctlGetInt(int(read.Fd()), unix.TIOCINQ)
		if err != nil {
			t.Fatal(err)
		}
		if unread == 0 {
			return a
		}
		if time.Now().After(until) {
			t.Fatal("it reads nothing")
		}
	}
}

// finish lets all of them go on at once and waits for them.
func finish(all []*addProcess) (stored int) {
	for _, a := range all {
		a.stdin.Close()
	}
	for _, a := range all {
		if a.Wait() == nil {
			stored++
		}
	}
	return stored
}

func TestOfManyAddsOfOneNewNameOneStoresAndTheOthersSayWhoseItIs(t *testing.T) {
	s := newFileStore(t)
	var all []*addProcess
	for i := range 4 {
		all = append(all, s.add(t, i))
	}
	if n := finish(all); n != 1 {
		t.Errorf("%d stored", n)
	}
	stored, indexed := s.held(t)
	if stored != indexed {
		t.Errorf("stored is %s, indexed %s", stored, indexed)
	}
	for i, a := range all {
		said := a.said.String()
		switch {
		case secretID(i) == stored && !strings.Contains(said, "stored in the file keystore"):
			t.Errorf("the one that stored said %q", said)
		case secretID(i) != stored && !strings.Contains(said, `there is a key "k" already, SecretId `+credential.Mask(stored)+"; nothing was stored\n"):
			t.Errorf("another said %q", said)
		}
	}
}

func TestReplacementsAtOnceLeaveOneKeyInKeystoreAndIndex(t *testing.T) {
	s := newFileStore(t)
	for round := range 5 {
		var all []*addProcess
		for i := range 6 {
			all = append(all, s.add(t, 10*round+i, "--replace", "--other-account"))
		}
		if n := finish(all); n != len(all) {
			t.Errorf("%d stored, the last said %s", n, &all[len(all)-1].said)
		}
		if stored, indexed := s.held(t); stored != indexed {
			t.Errorf("round %d: stored is %s, indexed %s", round, stored, indexed)
		}
	}
}

func TestAnInterruptEndsAnAddThatWaitsForItsSecretKey(t *testing.T) {
	for _, sig := range []os.Signal{os.Interrupt, unix.SIGTERM} {
		a := newFileStore(t).add(t, 1)
		watchdog := time.AfterFunc(10*time.Second, func() { a.Process.Kill() })
		a.Process.Signal(sig) // Wait says it
		a.Wait()              // the status says it
		watchdog.Stop()
		if a.ProcessState.ExitCode() != 130 || a.said.String() != "tcred: error: interrupted; nothing was stored\n" {
			t.Errorf("%v: %v, it said %q", sig, a.ProcessState, &a.said)
		}
	}
}

func TestAnInterruptEndsAnAddThatWaitsForItsTurn(t *testing.T) {
	s := newFileStore(t)
	a := s.add(t, 1)
	_, unlock, err := s.index().Lock(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer unlock()
	a.stdin.Close()
	time.AfterFunc(200*time.Millisecond, func() { a.Process.Signal(os.Interrupt) }) // at its lock by then; earlier is fine too
	a.Wait()                                                                        // the status says it
	if a.ProcessState.ExitCode() != 130 || a.said.String() != "tcred: error: interrupted; nothing was stored\n" {
		t.Errorf("%v, it said %q", a.ProcessState, &a.said)
	}
}
