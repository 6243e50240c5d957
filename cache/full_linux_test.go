package cache

import (
	"errors"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/tcred/tcred/internal/testworld"
)

// mountTest mounts a disk of 64 KiB for the test, and returns what mounts it read-only.
func mountTest(t *testing.T) (path string, readOnly func()) {
	t.Helper()
	testworld.NeedReal(t, os.Getuid() == 0, "needs root, to mount a small disk")
	path = t.TempDir()
	if err := syscall.Mount("tmpfs", path, "tmpfs", 0, "size=64k,mode=0700"); err != nil {
		t.Fatalf("mount a tmpfs: %v", err)
	}
	t.Cleanup(func() { syscall.Unmount(path, syscall.MNT_DETACH) })
	return path, func() {
		t.Helper()
		mustDo(t, syscall.Mount("", path, "", syscall.MS_REMOUNT|syscall.MS_RDONLY, ""))
	}
}

func TestAFullDiskCostsTheWriteNotTheEntry(t *testing.T) {
	path, _ := mountTest(t)
	d, warned := openTest(path)
	s := mustSealer(t, testSecret)
	mustPut(t, d, testKey, s, testCredential(1))
	filler := filepath.Join(path, "filler")
	if err := os.WriteFile(filler, make([]byte, 1<<20), 0o600); !errors.Is(err, syscall.ENOSPC) {
		t.Fatalf("fill the disk: %v", err)
	}
	if err := d.Put(t.Context(), testKey, s, largeCredential()); !errors.Is(err, syscall.ENOSPC) {
		t.Errorf("Put on a full disk: %v, want ENOSPC", err)
	}
	wantHit(t, d, testKey, s, testCredential(1))
	if left := files(t, d, tempSuffix); len(left) != 0 {
		t.Errorf("left: %v", left)
	}
	mustDo(t, os.Remove(filler))
	mustPut(t, d, testKey, s, largeCredential())
	wantHit(t, d, testKey, s, largeCredential())
	warned.want(t, 0)
}

func TestAReadOnlyDiskStillAnswers(t *testing.T) {
	path, readOnly := mountTest(t)
	d, warned := openTest(path)
	mustPut(t, d, testKey, mustSealer(t, testSecret), testCredential(1))
	readOnly()
	wantReadOnlyBehaviour(t, d)
	warned.want(t, 0)
}
