package process

import (
	"testing"

	"golang.org/x/sys/unix"
)

// A process that may hold a permanent key must not be read by another one of this user's, and leaves no core dump.
func TestHardenKeepsDebuggersAndCoreDumpsAway(t *testing.T) {
	dumpable := func() int {
		t.Helper()
		n, err := unix.PrctlRetInt(unix.PR_GET_DUMPABLE, 0, 0, 0, 0)
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	before, umask := dumpable(), unix.Umask(0o022)
	t.Cleanup(func() {
		unix.Umask(umask)
		if err := unix.Prctl(unix.PR_SET_DUMPABLE, uintptr(before), 0, 0, 0); err != nil {
			t.Error(err)
		}
	})
	unix.Setrlimit(unix.RLIMIT_CORE, &unix.Rlimit{Cur: 1 << 20, Max: 1 << 20}) // where they were forbidden, they stay so
	Harden()
	if n := dumpable(); n != 0 {
		t.Errorf("the process is dumpable: %d", n)
	}
	if mask := unix.Umask(0o022); mask != 0o077 {
		t.Errorf("the umask is %04o", mask)
	}
	var core unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_CORE, &core); err != nil || core != (unix.Rlimit{}) {
		t.Errorf("core dumps may have %+v bytes, %v", core, err)
	}
	if err := unix.Prctl(unix.PR_SET_DUMPABLE, 1, 0, 0, 0); err != nil {
		t.Fatal(err)
	}
	Hide()
	if n := dumpable(); n != 0 {
		t.Errorf("after hide alone the process is dumpable: %d", n)
	}
}
