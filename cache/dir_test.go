package cache

import (
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"testing"
	"time"

	"github.com/tcred/tcred/internal/testworld"
)

// Every operation is a miss or an error: nothing is written where somebody else can read it, or can lead us.
func TestADirectoryThatIsNotOursAloneIsNotUsed(t *testing.T) {
	for name, prepare := range map[string]func(path string) error{
		"a link":        func(path string) error { return os.Symlink(t.TempDir(), path) },
		"a file":        func(path string) error { return os.WriteFile(path, nil, 0o600) },
		"open to group": func(path string) error { return errors.Join(os.Mkdir(path, 0o700), os.Chmod(path, 0o750)) },
		"open to all":   func(path string) error { return errors.Join(os.Mkdir(path, 0o700), os.Chmod(path, 0o707)) },
		"not ours": func(path string) error {
			return errors.Join(os.Mkdir(path, 0o700), os.Chown(path, 12345, -1))
		},
	} {
		t.Run(name, func(t *testing.T) {
			if runtime.GOOS == "windows" && name != "a file" {
				t.Skip("access is a matter of lists there")
			}
			if name == "not ours" && os.Getuid() != 0 {
				testworld.NeedReal(t, false, "needs root, to give a directory away")
			}
			good, _ := newTest(t)
			s := mustSealer(t, testSecret)
			mustPut(t, good, testKey, s, testCredential(1))

			d, warned := newTest(t)
			mustDo(t, prepare(d.path))
			for range 3 {
				wantMiss(t, d, testKey, s)
				d.Sweep(time.Now())
				unlock, lockErr := d.Lock(t.Context(), testKey)
				if lockErr == nil {
					unlock()
				}
				putErr := d.Put(t.Context(), testKey, s, testCredential(1))
				deleteErr, deleteAllErr := deleted(d.Delete(t.Context(), testKey)), deleted(d.DeleteAll(t.Context()))
				for _, err := range []error{lockErr, putErr, deleteErr, deleteAllErr} {
					if err == nil {
						t.Error("used all the same")
					}
				}
				if !errors.Is(lockErr, errNoLock) {
					t.Errorf("Lock: %v, want errNoLock", lockErr)
				}
			}
			warned.want(t, 1)
		})
	}
}

func TestAMissingDirectoryIsAMissAndMadeByTheFirstWrite(t *testing.T) {
	d, warned := openTest(filepath.Join(t.TempDir(), "parent", "tcred"))
	s := mustSealer(t, testSecret)
	wantMiss(t, d, testKey, s)
	d.Sweep(time.Now())
	if _, err := os.Stat(d.path); err == nil {
		t.Error("a look made the directory")
	}
	mustPut(t, d, testKey, s, testCredential(1))
	wantHit(t, d, testKey, s, testCredential(1))
	warned.want(t, 0)
}

func TestAReadOnlyDirectoryStillAnswers(t *testing.T) {
	if os.Getuid() == 0 {
		t.Skip("no mode keeps root from writing; the read-only mount in full_linux_test.go does")
	}
	d, _ := newTest(t)
	mustPut(t, d, testKey, mustSealer(t, testSecret), testCredential(1))
	mustDo(t, os.Chmod(d.path, 0o500))
	t.Cleanup(func() { os.Chmod(d.path, 0o700) })
	wantReadOnlyBehaviour(t, d)
}

// wantReadOnlyBehaviour: what is there is served, and every write is an error at once.
func wantReadOnlyBehaviour(t *testing.T, d *Dir) {
	t.Helper()
	s := mustSealer(t, testSecret)
	wantHit(t, d, testKey, s, testCredential(1))
	if err := d.Put(t.Context(), testKey, s, testCredential(2)); err == nil {
		t.Error("Put: no error")
	}
	if _, err := d.Lock(t.Context(), testKey); !errors.Is(err, errNoLock) {
		t.Errorf("Lock: %v, want errNoLock", err)
	}
	wantHit(t, d, testKey, s, testCredential(1))
}
