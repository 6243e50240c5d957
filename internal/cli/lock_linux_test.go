package cli

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/tcred/tcred/credential"
	"github.com/tcred/tcred/internal/testworld"
)

// What a locked daemon has in its memory, read as a debugger of root's would.
func TestALockedDaemonHasNoSecretInItsMemory(t *testing.T) {
	testworld.NeedReal(t, os.Geteuid() == 0, "needs root, to read another process's memory")
	w := newLockWorld(t, false)
	secrets := map[string]string{"SecretKey": w.account.SecretKey.Reveal(), "passphrase": lockPassphrase}
	open := func() {
		t.Helper()
		unlock := exec.Command(w.tcred, "unlock", "--passphrase-stdin")
		unlock.Env, unlock.Stdin = w.env, strings.NewReader(lockPassphrase)
		if out, err := unlock.CombinedOutput(); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		c, err := credential.DecodeCOS([]byte(w.must(t, "get", "--format", "cos")))
		if err != nil {
			t.Fatal(err)
		}
		secrets["Token"], secrets["TmpSecretKey"] = c.Token.Reveal(), c.SecretKey.Reveal()
	}
	for range 2 {
		open()
		pid := w.status(t).PID
		for name, found := range inMemory(t, pid, secrets) {
			if found == 0 && name != "TmpSecretKey" {
				t.Errorf("before the lock the %s is not found: this test sees nothing", name)
			}
		}
		w.must(t, "lock")
		if now := w.status(t).PID; now != pid {
			t.Errorf("process %d is now %d", pid, now)
		}
		for name, found := range inMemory(t, pid, secrets) {
			if found != 0 {
				t.Errorf("after the lock the %s is found %d times", name, found)
			}
		}
	}
}

// inMemory counts the secrets in what the process has mapped.
func inMemory(t *testing.T, pid int, secrets map[string]string) map[string]int {
	t.Helper()
	maps, err := os.ReadFile(fmt.Sprintf("/proc/%d/maps", pid))
	if err != nil {
		t.Fatal(err)
	}
	memory, err := os.Open(fmt.Sprintf("/proc/%d/mem", pid))
	if err != nil {
		t.Fatal(err)
	}
	defer memory.Close()
	found := make(map[string]int)
	for name := range secrets {
		found[name] = 0
	}
	bytesRead := 0
	for line := range strings.Lines(string(maps)) {
		var from, to int64
		var mode string
		if _, err := fmt.Sscanf(line, "%x-%x %s", &from, &to, &mode); err != nil || mode[0] != 'r' || to-from > 1<<30 {
			continue
		}
		region := make([]byte, to-from)
		n, _ := memory.ReadAt(region, from) // [vvar] cannot be read
		bytesRead += n
		for name, secret := range secrets {
			found[name] += bytes.Count(region[:n], []byte(secret))
		}
	}
	if bytesRead < 1<<20 {
		t.Fatalf("only %d bytes of memory were read", bytesRead)
	}
	t.Logf("%d MiB: %v", bytesRead>>20, found)
	return found
}
