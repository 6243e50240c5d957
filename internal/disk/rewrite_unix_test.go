//go:build unix

package disk

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
)

func TestARewrittenFileKeepsItsModeAndALinkStaysOne(t *testing.T) {
	dir := t.TempDir()
	path, link := filepath.Join(dir, "real", "file"), filepath.Join(dir, "link")
	if err := errors.Join(os.Mkdir(filepath.Dir(path), 0o755), os.WriteFile(path, []byte("old"), 0o600),
		os.Chmod(path, 0o640), os.Symlink("real/file", link)); err != nil {
		t.Fatal(err)
	}
	if err := Rewrite(link, ".tmp-*", []byte("new")); err != nil {
		t.Fatal(err)
	}
	info, err := os.Lstat(path)
	if err != nil || info.Mode() != 0o640 {
		t.Errorf("%v, %v", info.Mode(), err)
	}
	if to, err := os.Readlink(link); err != nil || to != "real/file" {
		t.Errorf("the link leads to %q, %v", to, err)
	}
	if text, err := os.ReadFile(path); err != nil || string(text) != "new" {
		t.Errorf("%q, %v", text, err)
	}
	if left, err := os.ReadDir(filepath.Dir(path)); err != nil || len(left) != 1 {
		t.Errorf("left are %v, %v", left, err)
	}
}

func TestWhatIsNoFileOfOursIsNotRewritten(t *testing.T) {
	dir := t.TempDir()
	theirs, link := filepath.Join(dir, "theirs"), filepath.Join(dir, "link")
	if err := errors.Join(os.WriteFile(theirs, []byte("old"), 0o666), os.Symlink(theirs, link)); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{dir, filepath.Join(dir, "none")} {
		if err := Rewrite(path, ".tmp-*", nil); err == nil {
			t.Errorf("%s was written", path)
		}
	}
	if err := os.Chown(theirs, 65534, -1); err != nil {
		t.Skip("only root gives files away:", err)
	}
	if fault, is := errors.AsType[*Fault](Rewrite(link, ".tmp-*", []byte("new"))); !is || fault.What != "belongs to another user" {
		t.Errorf("another's: %v", fault)
	}
	if text, err := os.ReadFile(theirs); err != nil || string(text) != "old" {
		t.Errorf("%q, %v", text, err)
	}
}
