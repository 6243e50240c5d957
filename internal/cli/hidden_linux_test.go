package cli

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/tcred/tcred/internal/testworld"
	"github.com/tcred/tcred/keystore"
)

var noCore = regexp.MustCompile(`(?m)^Max core file size +0 `)

// nobody is a user without any right.
const nobody = 65534

// Each command that opens the file keystore spends most of its life in scrypt, with the passphrase in its memory. All
// that time its files in /proc must be root's, and it may leave no core dump.
func TestEveryCommandThatHoldsAKeyIsClosedToOtherPrograms(t *testing.T) {
	testworld.NeedReal(t, os.Geteuid() == 0, "needs root, to run as another user")
	w := newLockWorld(t, true)
	keys := filepath.Join(w.dir, ".local", "share", "tcred", "keys")
	give(t, w, keys)
	for _, args := range [][]string{
		{"doctor"}, {"check"}, {"whoami", "--key", "default"}, {"get", "--no-daemon"}, {"exec", "--no-daemon", "--", "true"},
		{"remove", "default", "--force"}, {"list"},
	} {
		cmd := exec.Command(w.tcred, args...)
		cmd.Env = append(w.env, "TCRED_CACHE_DIR="+t.TempDir())
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		ended := make(chan struct{})
		go func() { cmd.Wait(); close(ended) }()
		started := time.Now()
		var seen, exposed int
		for alive := true; alive; {
			select {
			case <-ended:
				alive = false
			case <-time.After(2 * time.Millisecond):
				if time.Since(started) < 60*time.Millisecond { // Go's own start
					continue
				}
				info, err := os.Stat(fmt.Sprintf("/proc/%d/mem", cmd.Process.Pid))
				limits, err2 := os.ReadFile(fmt.Sprintf("/proc/%d/limits", cmd.Process.Pid))
				comm, err3 := os.ReadFile(fmt.Sprintf("/proc/%d/comm", cmd.Process.Pid))
				err = errors.Join(err, err2, err3)
				if err != nil || len(limits) == 0 || string(comm) != "tcred\n" { // ended, or became another
					continue
				}
				seen++
				if info.Sys().(*syscall.Stat_t).Uid != 0 || !noCore.Match(limits) {
					exposed++
				}
			}
		}
		if holds := args[0] == "doctor" || args[0] == "exec" || args[0] == "get" || args[0] == "whoami"; holds && seen < 10 {
			t.Errorf("tcred %s: only %d looks", strings.Join(args, " "), seen)
		}
		if exposed > 0 {
			t.Errorf("tcred %s: exposed at %d of %d looks", strings.Join(args, " "), exposed, seen)
		}
		t.Logf("tcred %s: %d looks in %v", strings.Join(args, " "), seen, time.Since(started))
	}
}

// give makes the world nobody's, with a keystore that takes as long to open as a real one.
func give(t *testing.T, w *lockWorld, keys string) {
	t.Helper()
	if err := os.RemoveAll(keys); err != nil {
		t.Fatal(err)
	}
	store, err := keystore.Open(keystore.Options{Backend: "file", FileDir: keys})
	if err == nil {
		err = keystore.CreateFile(keys, lockPassphrase, 17)
	}
	if err == nil {
		err = store.Unlock(t.Context(), lockPassphrase)
	}
	if err == nil {
		err = store.Put(t.Context(), "default", keystore.Key{ID: w.account.SecretID, Secret: w.account.SecretKey})
	}
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(w.tcred)
	if err != nil {
		t.Fatal(err)
	}
	w.tcred = filepath.Join(w.dir, "bin", "tcred")
	if err := os.Mkdir(filepath.Dir(w.tcred), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(w.tcred, text, 0o755); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command("chown", "-R", fmt.Sprintf("%d:%d", nobody, nobody), w.dir).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
}

// The program that exec becomes may leave core dumps as it may without tcred.
func TestTheProgramThatExecBecomesHasItsOwnLimitOnCores(t *testing.T) {
	w := newLockWorld(t, true)
	cmd := exec.Command("sh", "-c", `ulimit -c 3 && exec "$0" exec --no-daemon -- sh -c 'ulimit -S -c'`, w.tcred)
	cmd.Env = w.env
	out, err := cmd.CombinedOutput()
	if err != nil && strings.Contains(string(out), "limit") {
		t.Skipf("core dumps are forbidden here: %s", out)
	}
	if err != nil || strings.TrimSpace(string(out)) != "3" {
		t.Errorf("%v, %q", err, out)
	}
}

// Packages install tcred so that its user may run it and not read it.
func TestABinaryThatNobodyMayReadDoesEverything(t *testing.T) {
	testworld.NeedReal(t, os.Geteuid() == 0, "needs root, to run as another user")
	w := newLockWorld(t, false)
	give(t, w, filepath.Join(w.dir, ".local", "share", "tcred", "keys"))
	if err := os.Chown(w.tcred, 0, 0); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(w.tcred, 0o711); err != nil {
		t.Fatal(err)
	}
	run := func(stdin string, args ...string) string {
		t.Helper()
		cmd := exec.Command(w.tcred, args...)
		cmd.Env, cmd.Stdin, cmd.Dir = w.env, strings.NewReader(stdin), w.dir
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}
		out, err := cmd.CombinedOutput()
		if err != nil && args[0] != "doctor" {
			t.Fatalf("tcred %s: %v\n%s", strings.Join(args, " "), err, out)
		}
		return string(out)
	}
	run(lockPassphrase+"\n", "unlock", "--passphrase-stdin")
	run("", "get")
	if out := run("", "doctor"); !strings.Contains(out, "from the first instruction on: they may run "+w.tcred) {
		t.Errorf("%s", out)
	}
	run("", "lock")
	run(lockPassphrase+"\n", "unlock", "--passphrase-stdin")
	run("", "exec", "--", "true")
	run("", "status")
	run("", "daemon", "stop")
	if err := os.Chmod(w.tcred, 0o755); err != nil {
		t.Fatal(err)
	}
	const later = "memory     closed to other programs of yours before a key comes into it"
	if out := run("", "doctor"); !strings.Contains(out, later) {
		t.Errorf("%s", out)
	}
}

// A tracer can answer prctl in the kernel's place. It cannot hide that it traces.
func TestDoctorNamesATracer(t *testing.T) {
	testworld.NeedPrograms(t, "strace")
	w := newLockWorld(t, true)
	cmd := exec.Command("strace", "-f", "-o", os.DevNull, "-e", "inject=prctl:retval=0", w.tcred, "doctor")
	cmd.Env = w.env
	out, _ := cmd.CombinedOutput()
	if !strings.Contains(string(out), "warn  memory     process ") {
		t.Errorf("%s", out)
	}
}
