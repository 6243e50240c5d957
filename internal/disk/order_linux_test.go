package disk

import (
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"syscall"
	"testing"
	"unsafe"

	"golang.org/x/sys/unix"
)

// failing runs do on a thread of its own, where the kernel answers a system call with EIO. Of calls that have bits of
// spare in their third argument nothing is changed.
func failing(t *testing.T, call, spare uint32, do func()) {
	t.Helper()
	const number, third = 0, 16 + 2*8 // where the kernel shows them, on a little-endian machine
	program := []unix.SockFilter{
		{Code: unix.BPF_LD | unix.BPF_W | unix.BPF_ABS, K: number},
		{Code: unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K, Jt: 1, K: call},
		{Code: unix.BPF_RET | unix.BPF_K, K: unix.SECCOMP_RET_ALLOW},
		{Code: unix.BPF_LD | unix.BPF_W | unix.BPF_ABS, K: third},
		{Code: unix.BPF_JMP | unix.BPF_JSET | unix.BPF_K, Jf: 1, K: spare},
		{Code: unix.BPF_RET | unix.BPF_K, K: unix.SECCOMP_RET_ALLOW},
		{Code: unix.BPF_RET | unix.BPF_K, K: unix.SECCOMP_RET_ERRNO | uint32(unix.EIO)},
	}
	filter := unix.SockFprog{Len: uint16(len(program)), Filter: &program[0]}
	done := make(chan error)
	go func() {
		runtime.LockOSThread() // never unlocked: the thread ends with the goroutine
		err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
		if err == nil {
			err = unix.Prctl(unix.PR_SET_SECCOMP, unix.SECCOMP_MODE_FILTER, uintptr(unsafe.Pointer(&filter)), 0, 0)
		}
		if err == nil {
			do()
		}
		done <- err
	}()
	if err := <-done; err != nil && os.Getenv("TCRED_TEST_REAL") != "1" {
		t.Skip("this machine has no system call filters: ", err)
	} else if err != nil {
		t.Fatal(err)
	}
}

func wantOnly(t *testing.T, path, text string) {
	t.Helper()
	if got, err := Read(path, 99); err != nil || string(got) != text {
		t.Errorf("the file holds %q, %v; want %q", got, err, text)
	}
	if files, err := os.ReadDir(filepath.Dir(path)); err != nil || len(files) != 1 {
		t.Errorf("the directory holds %v, %v; want one file", files, err)
	}
}

// What cannot be synced is not moved into place: a power cut could leave an empty file there.
func TestWriteSyncsTheFileBeforeTheMove(t *testing.T) {
	path := filepath.Join(t.TempDir(), "file")
	for _, temp := range []string{"x*", "x"} {
		write(t, path, "first")
		var err error
		failing(t, unix.SYS_FSYNC, 0, func() { err = Write(path, temp, []byte("second")) })
		if !errors.Is(err, syscall.EIO) {
			t.Errorf("%q: %v, want EIO", temp, err)
		}
		wantOnly(t, path, "first")
	}
}

// Only the directory is opened without being made.
func TestWriteLooksAtTheDirectoryAfterTheMove(t *testing.T) {
	path := filepath.Join(t.TempDir(), "file")
	var err error
	failing(t, unix.SYS_OPENAT, unix.O_CREAT, func() { err = Write(path, "x", []byte("text")) })
	if !errors.Is(err, syscall.EIO) {
		t.Errorf("%v, want EIO", err)
	}
	wantOnly(t, path, "text")
}

func TestADirectoryThatFailsToSyncIsAnError(t *testing.T) {
	dir := t.TempDir()
	var err error
	failing(t, unix.SYS_FSYNC, 0, func() { err = syncDir(dir) })
	if !errors.Is(err, syscall.EIO) {
		t.Errorf("%v, want EIO", err)
	}
}
