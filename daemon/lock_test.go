//go:build unix

package daemon

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/tcred/tcred/api"
	"github.com/tcred/tcred/internal/disk"
)

// emptyRun is the directory of a socket, not yet listened on.
func emptyRun(t *testing.T) (path string) {
	t.Helper()
	path = socketPath(t)
	if err := os.Mkdir(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestTheLockFollowsNoLink(t *testing.T) {
	path := emptyRun(t)
	target := filepath.Join(t.TempDir(), "planted")
	if err := os.Symlink(target, path+".lock"); err != nil {
		t.Fatal(err)
	}
	if _, err := Listen(path); err == nil || !strings.Contains(err.Error(), path+".lock is in the way") {
		t.Errorf("got %v", err)
	}
	if _, err := disk.NewLock(path + ".lock").TryLock(); err == nil { // a link that came after the look
		t.Error("the link was followed")
	}
	if _, err := os.Lstat(target); err == nil {
		t.Error("a file was made through the link")
	}
}

func TestALockThatWasReplacedIsNotReliedOn(t *testing.T) {
	for name, replace := range map[string]func(path string) error{
		"the file": func(path string) error {
			return errors.Join(os.Remove(path+".lock"), os.WriteFile(path+".lock", nil, 0o600))
		},
		"gone": func(path string) error { return os.Remove(path + ".lock") },
		"the directory, by a link": func(path string) error {
			dir := filepath.Dir(path)
			return errors.Join(os.Rename(dir, dir+"2"), os.Symlink(dir+"2", dir))
		},
	} {
		t.Run(name, func(t *testing.T) {
			path := emptyRun(t)
			lock, err := lockBeside(path)
			if err != nil || !lock.Locked() {
				t.Fatal(err)
			}
			defer lock.Close()
			if err := lockedIsNamed(lock); err != nil {
				t.Fatal(err)
			}
			if err := replace(path); err != nil {
				t.Fatal(err)
			}
			if err := lockedIsNamed(lock); err == nil {
				t.Error("it counts")
			}
		})
	}
}

func TestNothingIsMadeInADirectoryThatIsAnothersUsers(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root can give a directory away")
	}
	theirs := filepath.Dir(filepath.Dir(socketPath(t)))
	if err := os.Chown(theirs, 65534, -1); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{theirs + "/run/s", theirs + "/new/run/s"} {
		_, err := Listen(path)
		if e := api.AsError(err); err == nil || e.Code != api.Forbidden || !strings.Contains(e.Message, "another user (uid 65534)") {
			t.Errorf("%s: got %v", path, err)
		}
	}
	ours := theirs + "/ours"
	if err := os.Mkdir(ours, 0o700); err != nil { // which they can move away
		t.Fatal(err)
	}
	if _, err := Listen(ours + "/s"); api.CodeOf(err) != api.Forbidden {
		t.Errorf("got %v", err)
	}
	if made, err := os.ReadDir(theirs); err != nil || len(made) != 1 {
		t.Errorf("made %v, %v", made, err)
	}
}

// straced is strace, which makes the system calls of what it runs fail or wait.
func straced(t *testing.T) string {
	t.Helper()
	strace, err := exec.LookPath("strace")
	if err != nil {
		if os.Getenv("TCRED_TEST_REAL") == "1" {
			t.Fatal("TCRED_TEST_REAL=1, but this test needs strace: ", err)
		}
		t.Skip("needs strace: ", err)
	}
	return strace
}

func TestADaemonWhoseLockIsReplacedWhileItWaitsDoesNotListen(t *testing.T) {
	path := socketPath(t)
	slow := startChildBy(t, path, straced(t), "-f", "-qq", "-o", os.DevNull, "-e", "trace=flock", "-e", "inject=flock:delay_enter=1000000")
	lock := path + ".lock"
	for n := 0; ; n++ {
		if _, err := os.Lstat(lock); err == nil {
			break
		} else if n == 2000 {
			t.Fatal("no lock: ", err)
		}
		time.Sleep(5 * time.Millisecond)
	}
	if err := errors.Join(os.Remove(lock), os.WriteFile(lock, nil, 0o600)); err != nil {
		t.Fatal(err)
	}
	if said := slow.says(); !strings.HasSuffix(said, "was replaced while it was being locked") {
		t.Errorf("it says %q", said)
	}
}

// The home directories of clusters may lie where flock says ENOLCK or ENOSYS.
func TestWithoutLocksADaemonListensAndASecondIsTold(t *testing.T) {
	strace := straced(t)
	for _, errno := range []string{"ENOLCK", "ENOSYS", "EOPNOTSUPP"} {
		t.Run(errno, func(t *testing.T) {
			path := socketPath(t)
			refuse := []string{strace, "-f", "-qq", "-o", os.DevNull, "-e", "trace=flock", "-e", "inject=flock:error=" + errno}
			first := startChildBy(t, path, refuse...)
			if said := first.says(); said != "listening" {
				t.Fatalf("it says %q", said)
			}
			if said := startChildBy(t, path, refuse...).says(); said != "running" {
				t.Errorf("the second says %q", said)
			}
			first.stdin.Close()
			if err := first.cmd.Wait(); err != nil {
				t.Error(err)
			}
			third := startChildBy(t, path, refuse...)
			if said := third.says(); said != "listening" {
				t.Errorf("the next says %q", said)
			}
			third.stdin.Close()
		})
	}
}
