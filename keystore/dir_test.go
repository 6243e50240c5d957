package keystore

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/tcred/tcred/api"
)

// write makes a file and all above it.
func write(t *testing.T, path, text string, mode os.FileMode) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(path, mode); err != nil {
		t.Fatal(err)
	}
}

func newDirStore(t *testing.T, o Options) Store {
	t.Helper()
	o.Backend = "dir"
	s, err := Open(o)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestDirReadsMountedKeys(t *testing.T) {
	root := t.TempDir()
	write(t, filepath.Join(root, "tcred.key.work"), testKey.ID+":"+canary+"\n", 0o400)
	write(t, filepath.Join(root, "tcred.key.broken"), canary, 0o400)
	write(t, filepath.Join(root, "tcred.key.bad name"), "", 0o400)
	write(t, filepath.Join(root, "tcred.passphrase"), "", 0o400)
	if err := os.Mkdir(filepath.Join(root, "tcred.key.folder"), 0o700); err != nil {
		t.Fatal(err)
	}
	t.Setenv(envCredentials, root)
	s := newDirStore(t, Options{})
	if got, err := s.Get(t.Context(), "work"); err != nil || got != testKey {
		t.Errorf("got %v, %v", got, err)
	}
	if names, err := s.List(t.Context()); err != nil || !slices.Equal(names, []string{"broken", "work"}) {
		t.Errorf("List = %v, %v", names, err)
	}
	for name, code := range map[string]api.Code{
		"missing": api.NoKey, "broken": api.KeystoreFailed, "folder": api.KeystoreFailed, "../x": api.BadRequest,
	} {
		_, err := s.Get(t.Context(), name)
		wantCode(t, err, code)
		if !strings.Contains(err.Error(), name) {
			t.Errorf("%q does not name %s", err, name)
		}
	}
}

func TestDirIsAbsentUntilItIsMounted(t *testing.T) {
	t.Setenv(envCredentials, "")
	wantCode(t, newDirStore(t, Options{}).Probe(t.Context()), api.KeystoreAbsent)

	root := filepath.Join(t.TempDir(), "late")
	s := newDirStore(t, Options{Dir: root})
	_, err := s.Get(t.Context(), "work")
	wantCode(t, err, api.KeystoreAbsent)
	if err := os.Mkdir(root, 0o700); err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(root, "tcred.key.work"), "AKID1 secret", 0o400)
	if _, err := s.Get(t.Context(), "work"); err != nil {
		t.Error(err)
	}
}

func TestDirWarnsOnceOfKeysThatAnybodyCanRead(t *testing.T) {
	if !ownersExist {
		t.Skip("files have no modes here")
	}
	for _, c := range []struct {
		dir, file os.FileMode
		warnings  int
	}{{0o755, 0o444, 1}, {0o700, 0o444, 0}, {0o755, 0o440, 0}} {
		root := t.TempDir()
		if err := os.Chmod(root, c.dir); err != nil {
			t.Fatal(err)
		}
		write(t, filepath.Join(root, "tcred.key.work"), "AKID1 secret", c.file)
		var said []string
		s := newDirStore(t, Options{Dir: root, Notify: func(line string) { said = append(said, line) }})
		for range 2 {
			if _, err := s.Get(t.Context(), "work"); err != nil {
				t.Fatal(err)
			}
		}
		if len(said) != c.warnings {
			t.Errorf("directory %o, file %o: %q", c.dir, c.file, said)
		}
	}
}
