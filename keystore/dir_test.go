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
	t.Setenv("CREDENTIALS_DIRECTORY", root)
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
	t.Setenv(EnvCredentials, "")
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

func TestDirWarnsOfWhoeverCanReplaceAKey(t *testing.T) {
	if !ownersExist {
		t.Skip("files have no modes here")
	}
	const stranger = 65534
	for label, c := range map[string]struct {
		dir, file           os.FileMode
		dirOwner, fileOwner int
		want                []string // "DIR" or "KEY", and the fault
	}{
		"nobody can get there":          {dir: 0o700, file: 0o666},
		"nobody but readers":            {dir: 0o755, file: 0o440},
		"a directory open to all":       {dir: 0o777, file: 0o400, want: []string{"DIR can be written by everybody"}},
		"a sticky one, as Kubernetes's": {dir: 0o777 | os.ModeSticky, file: 0o400},
		"a file open to all":            {dir: 0o755, file: 0o602, want: []string{"KEY can be written by everybody"}},
		"a stranger's directory": {dir: 0o700, file: 0o400, dirOwner: stranger,
			want: []string{"DIR belongs to another user (uid 65534)"}},
		"a stranger's file": {dir: 0o700, file: 0o400, fileOwner: stranger,
			want: []string{"KEY belongs to another user (uid 65534)"}},
	} {
		t.Run(label, func(t *testing.T) {
			root := t.TempDir()
			key := filepath.Join(root, "tcred.key.work")
			write(t, key, "AKID1 secret", c.file)
			if err := os.Chmod(root, c.dir); err != nil {
				t.Fatal(err)
			}
			for path, uid := range map[string]int{root: c.dirOwner, key: c.fileOwner} {
				if uid != 0 && os.Chown(path, uid, -1) != nil {
					t.Skip("only root gives files away")
				}
			}
			var said []string
			s := newDirStore(t, Options{Dir: root, Notify: func(line string) {
				said = append(said, strings.NewReplacer(key, "KEY", root, "DIR").Replace(line))
			}})
			for range 3 {
				if _, err := s.Get(t.Context(), "work"); err != nil {
					t.Fatal(err)
				}
			}
			if !slices.Equal(said, c.want) {
				t.Errorf("said %q", said)
			}
		})
	}
}

func TestDirThatHasNobodyToWarnIsReadAllTheSame(t *testing.T) {
	root := t.TempDir()
	write(t, filepath.Join(root, "tcred.key.work"), "AKID1 secret", 0o666)
	if _, err := newDirStore(t, Options{Dir: root}).Get(t.Context(), "work"); err != nil {
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
		for range 3 {
			if _, err := s.Get(t.Context(), "work"); err != nil {
				t.Fatal(err)
			}
		}
		if len(said) != c.warnings {
			t.Errorf("directory %o, file %o: %q", c.dir, c.file, said)
		}
	}
}
