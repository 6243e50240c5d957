package packaging

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/tcred/tcred/internal/testworld"
)

// The machine's user, who has a login session for good.
const (
	testUser   = "lone-tester"
	testUID    = "58413"
	home       = "/home/" + testUser
	runtimeDir = "/run/user/" + testUID
)

// machine is a booted systemd over a copy of this machine's files, with an ordinary user in it. It takes root, and of
// Debian the packages systemd-container, systemd-sysv, libpam-systemd and dbus-user-session.
type machine struct {
	t      *testing.T // the test, or the part of it, that is told of failures
	leader int        // its first process
}

// bootScript makes the copy: an overlay, writes to which stay in memory. All mounts are in a name space of their own
// and go with it.
const bootScript = `set -eu
mount --make-rprivate /
mount -t tmpfs tmpfs "$1"
mkdir "$1/upper" "$1/work" "$1/root"
mount -t overlay overlay -o "lowerdir=/,upperdir=$1/upper,workdir=$1/work" "$1/root"
chroot "$1/root" useradd --create-home --shell /bin/sh --uid "$2" "$3"
mkdir -p "$1/root/var/lib/systemd/linger"
touch "$1/root/var/lib/systemd/linger/$3"
rm -rf "$1/root/var/log/journal"
exec systemd-nspawn -q -D "$1/root" --machine="tcred-test-$$" --register=no --keep-unit --private-network --capability=all --console=pipe -b
`

// boot starts a machine, which ends with the test.
func boot(t *testing.T) *machine {
	t.Helper()
	testworld.NeedPrograms(t, "systemd-nspawn", "nsenter", "setpriv", "useradd", "journalctl")
	if os.Geteuid() != 0 {
		t.Fatal("booting a machine needs root")
	}
	var console lockedBuffer
	cmd := exec.Command("/bin/sh", "-c", bootScript, "sh", t.TempDir(), testUID, testUser)
	cmd.Stdout, cmd.Stderr = &console, &console
	cmd.SysProcAttr = &syscall.SysProcAttr{Unshareflags: syscall.CLONE_NEWNS, Setsid: true}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	m := &machine{t: t}
	ended := make(chan struct{})
	go func() { cmd.Wait(); close(ended) }()
	t.Cleanup(func() { m.halt(cmd.Process, ended) })
	m.eventually("the machine is up", func() error {
		select {
		case <-ended:
			t.Fatalf("the machine did not boot:\n%s", console.String())
		default:
		}
		text, err := os.ReadFile(fmt.Sprintf("/proc/%d/task/%[1]d/children", cmd.Process.Pid))
		if err != nil {
			return err
		}
		if _, err := fmt.Sscan(string(text), &m.leader); err != nil {
			return err
		}
		_, err = m.asRoot("systemctl is-active user@" + testUID)
		return err
	})
	return m
}

// halt ends the machine, by force if it does not obey.
func (m *machine) halt(nspawn *os.Process, ended <-chan struct{}) {
	const powerOff = syscall.Signal(34 + 4) // SIGRTMIN+4
	if m.leader != 0 {
		syscall.Kill(m.leader, powerOff)
		select {
		case <-ended:
			return
		case <-time.After(15 * time.Second):
			m.t.Log("the machine does not power off: it is killed")
			syscall.Kill(m.leader, syscall.SIGKILL)
		}
	}
	nspawn.Kill()
	<-ended
}

// asRoot runs a shell script in the machine.
func (m *machine) asRoot(script string) (string, error) {
	return m.run("env", "-i", "PATH=/usr/bin:/usr/sbin:/bin:/sbin", "sh", "-c", script)
}

// asUser runs a shell script as the user, in what a login gives to a shell.
func (m *machine) asUser(script string) (string, error) {
	return m.run("setpriv", "--reuid="+testUID, "--regid="+testUID, "--clear-groups",
		"env", "-i", "-C", home, "HOME="+home, "USER="+testUser, "PATH=/usr/bin:/bin", "LANG=C.UTF-8", "XDG_RUNTIME_DIR="+runtimeDir,
		"DBUS_SESSION_BUS_ADDRESS=unix:path="+runtimeDir+"/bus", "sh", "-c", script)
}

// run returns both outputs together; the error has them too.
func (m *machine) run(args ...string) (string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	cmd := exec.CommandContext(ctx, "nsenter", append([]string{"-t", fmt.Sprint(m.leader), "-a"}, args...)...)
	out, err := cmd.CombinedOutput()
	text := strings.TrimSpace(string(out))
	if err != nil {
		return text, fmt.Errorf("%s: %w\n%s", args[len(args)-1], err, text)
	}
	return text, nil
}

// must is asUser for what has to succeed.
func (m *machine) must(script string) string {
	m.t.Helper()
	out, err := m.asUser(script)
	if err != nil {
		m.t.Fatal(err)
	}
	return out
}

// copyIn puts a file of the host into the machine.
func (m *machine) copyIn(from, to string) {
	m.t.Helper()
	text, err := os.ReadFile(from)
	if err != nil {
		m.t.Fatal(err)
	}
	path := filepath.Join(fmt.Sprintf("/proc/%d/root", m.leader), to)
	if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) { // a program that runs cannot be written
		m.t.Fatal(err)
	}
	if err := os.WriteFile(path, text, 0o755); err != nil {
		m.t.Fatal(err)
	}
}

// property is what the user's systemd says of a unit.
func (m *machine) property(unit, name string) string {
	m.t.Helper()
	return m.must("systemctl --user show --value --property=" + name + " " + unit)
}

// journal is what the service said, and systemd of it.
func (m *machine) journal() string {
	m.t.Helper()
	text, err := m.asRoot(fmt.Sprintf("journalctl --no-pager --output=cat _UID=%s USER_UNIT=%s + _UID=%[1]s _SYSTEMD_USER_UNIT=%[2]s", testUID, SystemdServiceName))
	if err != nil {
		m.t.Fatal(err)
	}
	return text
}

// patience is what a machine may take for anything, on a host that has other things to do.
const patience = 2 * time.Minute

// eventually waits until check has no more complaint.
func (m *machine) eventually(what string, check func() error) {
	m.t.Helper()
	deadline := time.Now().Add(patience)
	for {
		err := check()
		if err == nil {
			return
		}
		if time.Now().After(deadline) {
			m.t.Fatalf("not after %s: %s: %v", patience, what, err)
		}
		time.Sleep(50 * time.Millisecond)
	}
}

// lockedBuffer takes what a process says while it runs.
type lockedBuffer struct {
	mu   sync.Mutex
	text strings.Builder
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.String()
}
