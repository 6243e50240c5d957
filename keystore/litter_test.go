package keystore

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/tcred/tcred/api"
)

func TestFileRemovesWhatKilledWritersLeft(t *testing.T) {
	for what, change := range map[string]func(file) error{
		"put":    func(s file) error { return s.Put(t.Context(), "work", testKey) },
		"delete": func(s file) error { return s.Delete(t.Context(), "old") },
	} {
		t.Run(what, func(t *testing.T) {
			s := newFileStore(t, nil)
			mustPut(t, s, "old")
			left := leave(t, filepath.Join(s.dir, ".tmp-123"), s.dir+"/../.keystore-456/identity.age")
			kept := leave(t, filepath.Join(s.dir, "notes"), s.dir+"/../other/.tmp-1")
			if err := change(s); err != nil {
				t.Fatal(err)
			}
			wantGone(t, left...)
			wantGone(t, s.dir+"/../.keystore-456")
			for _, path := range kept {
				if _, err := os.Stat(path); err != nil {
					t.Error(err)
				}
			}
			if _, err := s.Get(t.Context(), "old"); what == "put" && err != nil {
				t.Error(err)
			}
		})
	}
}

func TestCreateFileRemovesWhatKilledOnesLeftOnceItIsDone(t *testing.T) {
	s := newFileStore(t, nil)
	unfinished := leave(t, s.dir+"/../.keystore-456/identity.age")[0]
	wantCode(t, CreateFile(s.dir, passphrase, 4), api.KeystoreFailed) // it cannot know whether that one is still at work
	if _, err := os.Stat(unfinished); err != nil {
		t.Error(err)
	}
	if err := os.RemoveAll(s.dir); err != nil {
		t.Fatal(err)
	}
	if err := CreateFile(s.dir, passphrase, 4); err != nil {
		t.Fatal(err)
	}
	wantGone(t, filepath.Dir(unfinished))
}

// leave makes files as of somebody who went away.
func leave(t *testing.T, paths ...string) []string {
	t.Helper()
	for _, path := range paths {
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		write(t, path, "half", 0o600)
	}
	return paths
}

func wantGone(t *testing.T, paths ...string) {
	t.Helper()
	for _, path := range paths {
		if _, err := os.Lstat(path); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s is still there (%v)", path, err)
		}
	}
}
