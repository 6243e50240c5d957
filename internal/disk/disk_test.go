package disk

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func wantFault(t *testing.T, err error, path, what, cure string) {
	t.Helper()
	fault, ok := errors.AsType[*Fault](err)
	if !ok || !strings.HasPrefix(err.Error(), path+" ") ||
		!strings.Contains(fault.What, what) || !strings.Contains(fault.Cure, cure) {
		t.Errorf("got %v, want a Fault that says %q and cures by %q", err, what, cure)
	}
}

func TestReadTakesAFileUpToItsLimit(t *testing.T) {
	path := filepath.Join(t.TempDir(), "file")
	if _, err := Read(path, 3); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("of a missing file: %v", err)
	}
	for _, text := range []string{"", "abc"} {
		write(t, path, text)
		if got, err := Read(path, 3); err != nil || string(got) != text {
			t.Errorf("%q, %v", got, err)
		}
	}
	write(t, path, "abcd")
	_, err := Read(path, 3)
	wantFault(t, err, path, "longer than 3 bytes", "")
}

func TestReadTakesNoDirectory(t *testing.T) {
	dir := t.TempDir()
	_, err := Read(dir, 3)
	wantFault(t, err, dir, "is a directory, not a file", "")
}

func TestWriteReplacesAFileOrLeavesItAndNothingElse(t *testing.T) {
	for _, temp := range []string{"x*", "x"} {
		path := filepath.Join(t.TempDir(), "file")
		for _, text := range []string{"first", "second"} {
			if err := Write(path, temp, []byte(text)); err != nil {
				t.Fatal(err)
			}
		}
		info, err := os.Stat(path)
		if err != nil || hasOwners && info.Mode().Perm() != 0o600 {
			t.Errorf("%v, %v", info.Mode(), err)
		}
		if err := Write(filepath.Dir(path), temp, []byte("third")); err == nil {
			t.Error("a directory was replaced")
		}
		if got, err := Read(path, 99); err != nil || string(got) != "second" {
			t.Errorf("%q, %v", got, err)
		}
		if files, err := os.ReadDir(filepath.Dir(path)); err != nil || len(files) != 1 {
			t.Errorf("%v, %v", files, err)
		}
	}
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := Write(path, "x*", []byte(text)); err != nil {
		t.Fatal(err)
	}
}

// A second writer, and a link that somebody put there, must not share the first one's file.
func TestWriteLeavesATemporaryFileOfItsNameAlone(t *testing.T) {
	dir := t.TempDir()
	path, temp, elsewhere := filepath.Join(dir, "file"), filepath.Join(dir, "x"), filepath.Join(dir, "elsewhere")
	write(t, path, "first")
	for name, leave := range map[string]func() error{
		"file": func() error { return os.WriteFile(temp, []byte("half"), 0o600) },
		"link": func() error { return os.Symlink(elsewhere, temp) },
	} {
		if err := leave(); err != nil {
			t.Skip("this system makes links for some only: ", err)
		}
		if err := Write(path, "x", []byte("second")); !errors.Is(err, fs.ErrExist) {
			t.Errorf("%s: %v, want fs.ErrExist", name, err)
		}
		if err := os.Remove(temp); err != nil {
			t.Errorf("%s: it is gone: %v", name, err)
		}
	}
	if err := Write(path, "x", []byte("second")); err != nil {
		t.Error(err)
	}
	if got, err := Read(path, 99); err != nil || string(got) != "second" {
		t.Errorf("%q, %v", got, err)
	}
	if files, err := os.ReadDir(dir); err != nil || len(files) != 1 {
		t.Errorf("%v, %v", files, err)
	}
}
