package disk

import (
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/tcred/tcred/internal/testworld"
)

// In a sandbox that maps nobody but its user, root's files are still root's: a system's CA certificates, for one.
func TestRootIsNoStrangerInAUserNamespace(t *testing.T) {
	const inside = "DISK_TEST_INSIDE"
	if os.Getenv(inside) != "" {
		info, err := os.Stat("/etc/passwd")
		if err != nil || info.Sys().(*syscall.Stat_t).Uid == 0 {
			t.Fatal("not in a namespace without root", err)
		}
		if who := Stranger(info); who != "" {
			t.Errorf("/etc/passwd belongs to %s", who)
		}
		return
	}
	if os.Geteuid() != 0 {
		t.Skip("only root becomes another user")
	}
	self, err := os.ReadFile(os.Args[0])
	if err != nil {
		t.Fatal(err)
	}
	dir, err := os.MkdirTemp("/tmp", "tcred")
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(dir)
	program := filepath.Join(dir, "test")
	if err := os.WriteFile(program, self, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	const somebody = 58413
	cmd := exec.Command(program, "-test.run", t.Name())
	cmd.Dir, cmd.Env = "/", append(os.Environ(), inside+"=1")
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags:  syscall.CLONE_NEWUSER,
		Credential:  &syscall.Credential{Uid: somebody, Gid: somebody, NoSetGroups: true},
		UidMappings: []syscall.SysProcIDMap{{ContainerID: somebody, HostID: somebody, Size: 1}},
		GidMappings: []syscall.SysProcIDMap{{ContainerID: somebody, HostID: somebody, Size: 1}},
	}
	out, err := cmd.CombinedOutput()
	if _, ran := err.(*exec.ExitError); err != nil && !ran {
		testworld.NeedReal(t, false, "needs a machine that makes user namespaces: "+err.Error())
	}
	if err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}
