//go:build unix

package socket

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tcred/tcred/api"
)

func TestADirectoryIsTrustedOnlyWhenItIsOursAlone(t *testing.T) {
	dir := t.TempDir()
	ours := filepath.Join(dir, "made", "deep", "run")
	if err := MakeDir(ours); err != nil {
		t.Fatal(err)
	}
	if err := MakeDir(ours); err != nil {
		t.Errorf("the second time: %v", err)
	}
	link, file := filepath.Join(dir, "link"), filepath.Join(dir, "file")
	open, sticky := filepath.Join(dir, "open"), filepath.Join(dir, "sticky")
	for _, err := range []error{
		os.Symlink(ours, link), os.WriteFile(file, nil, 0o600), os.Mkdir(open, 0o755), os.Mkdir(sticky, 0o700),
		os.Chmod(open, 0o755), os.Chmod(sticky, 0o777|os.ModeSticky),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	for _, tt := range []struct{ dir, want, hint string }{
		{link, "is a link", ""},
		{file, "is not a directory", ""},
		{open, "is open to other users (mode 755)", "if nobody else needs it, else set TCRED_SOCKET"},
		{sticky, "is shared with other users", "TCRED_SOCKET"},
		{foreignDir(t), "belongs to uid", "TCRED_SOCKET"},
	} {
		for _, check := range []func(string) error{CheckDir, MakeDir} {
			e := api.AsError(check(tt.dir))
			if e == nil || e.Code != api.Forbidden || !strings.Contains(e.Message, tt.want) ||
				!strings.Contains(e.Message, tt.dir) || !strings.Contains(e.Hint, tt.hint) {
				t.Errorf("%s: got %+v", tt.dir, e)
			}
		}
	}
}

// foreignDir is a directory of another user, closed to everybody else where we can make one.
func foreignDir(t *testing.T) string {
	if os.Geteuid() != 0 {
		return "/"
	}
	dir := filepath.Join(t.TempDir(), "foreign")
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Chown(dir, 12345, 12345); err != nil {
		t.Fatal(err)
	}
	return dir
}
