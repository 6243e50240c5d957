package doctor

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/tcred/tcred/api"
	"github.com/tcred/tcred/internal/place/dirs"
)

// places are a person's directories below one, which exist and are theirs alone.
func places(t *testing.T, below string) *examination {
	t.Helper()
	x := &examination{places: dirs.Places{Cache: filepath.Join(below, "cache"), State: filepath.Join(below, "state")}}
	for _, dir := range []string{x.places.Cache, x.places.State, filepath.Join(below, "run")} {
		if err := os.MkdirAll(dir, 0o700); err != nil {
			t.Fatal(err)
		}
	}
	t.Setenv(api.EnvSocket, filepath.Join(below, "run", "s"))
	return x
}

// look makes the checks of directories, and returns those that ended so.
func (x *examination) look(t *testing.T, level Level) (checks []string) {
	t.Helper()
	x.findings = nil
	x.cacheDir(t.Context())
	x.stateDir()
	x.socket()
	for _, f := range x.findings {
		if f.Level == level {
			checks = append(checks, f.Check)
		}
		if (f.Level == OK) != (f.Cure == "") {
			t.Errorf("%+v", f)
		}
	}
	return checks
}

func TestADiskThatTakesNothingIsNoOK(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("needs root, to mount a small disk")
	}
	disk, err := os.MkdirTemp("", "t") // t.TempDir is too long for a socket
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(disk)
	if err := syscall.Mount("tmpfs", disk, "tmpfs", 0, "size=64k,mode=0700"); err != nil {
		t.Skipf("cannot mount here: %v", err)
	}
	defer syscall.Unmount(disk, syscall.MNT_DETACH)
	x := places(t, disk)
	if bad := x.look(t, Fail); bad != nil {
		t.Errorf("%q of a good disk: %+v", bad, x.findings)
	}
	filler := filepath.Join(disk, "filler")
	if err := os.WriteFile(filler, make([]byte, 1<<20), 0o600); !errors.Is(err, syscall.ENOSPC) {
		t.Fatalf("filling the disk: %v", err)
	}
	if bad := strings.Join(x.look(t, Fail), " "); bad != "cache state socket" {
		t.Errorf("%q of a full disk: %+v", bad, x.findings)
	}
	if err := os.Remove(filler); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Mount("", disk, "", syscall.MS_REMOUNT|syscall.MS_RDONLY, ""); err != nil {
		t.Fatal(err)
	}
	if bad := strings.Join(x.look(t, Fail), " "); bad != "cache state socket" {
		t.Errorf("%q of a read-only disk: %+v", bad, x.findings)
	}
}

func TestADirectoryThatCannotBeMadeIsNoOK(t *testing.T) {
	home, err := os.MkdirTemp("", "t")
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(home)
	x := places(t, home)
	for _, name := range []string{"cache", "state", "run"} {
		if err := os.Remove(filepath.Join(home, name)); err != nil {
			t.Fatal(err)
		}
	}
	if bad := x.look(t, Fail); bad != nil {
		t.Errorf("%q though they can be made: %+v", bad, x.findings)
	}
	if left, _ := os.ReadDir(home); len(left) > 0 {
		t.Errorf("it made %v", left)
	}
	if err := os.WriteFile(filepath.Join(home, "file"), nil, 0o600); err != nil { // where a directory should be
		t.Fatal(err)
	}
	x = &examination{places: dirs.Places{Cache: filepath.Join(home, "file", "cache"), State: filepath.Join(home, "file", "state")}}
	t.Setenv(api.EnvSocket, filepath.Join(home, "file", "run", "s"))
	if bad := strings.Join(x.look(t, Fail), " "); bad != "cache state socket" {
		t.Errorf("%q: %+v", bad, x.findings)
	}
}
