//go:build unix

package logfile

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

func TestAPipeInTheLogsPlaceBlocksNobody(t *testing.T) {
	path := filepath.Join(logDir(t), "daemon.log")
	if err := syscall.Mkfifo(path, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(path, nil); err == nil || !strings.Contains(err.Error(), path) {
		t.Errorf("got %v", err)
	}
}

// Through any of these the log would go where another user reads it, or into a file of another user's choice.
func TestALogIsNotWrittenWhereOthersMayHaveAHand(t *testing.T) {
	for name, spoil := range map[string]func(t *testing.T, dir, target string) error{
		"a directory open to others": func(_ *testing.T, dir, _ string) error { return os.Chmod(dir, 0o755) },
		"a link in the directory's place": func(_ *testing.T, dir, target string) error {
			return errors.Join(os.Remove(dir), os.Symlink(filepath.Dir(target), dir))
		},
		"a link in the log's place": func(_ *testing.T, dir, target string) error {
			return os.Symlink(target, filepath.Join(dir, "daemon.log"))
		},
		"another user's directory": func(t *testing.T, dir, _ string) error {
			if os.Geteuid() != 0 {
				t.Skip("only root can give a directory away")
			}
			return os.Chown(dir, 65534, -1)
		},
	} {
		t.Run(name, func(t *testing.T) {
			dir, target := logDir(t), filepath.Join(logDir(t), "daemon.log")
			if err := spoil(t, dir, target); err != nil {
				t.Fatal(err)
			}
			if _, err := Open(filepath.Join(dir, "daemon.log"), nil); err == nil {
				t.Error("it was opened")
			}
			if _, err := os.Lstat(target); err == nil {
				t.Error("it was written through the link")
			}
		})
	}
}

func TestALogThatOthersCouldReadIsClosedToThem(t *testing.T) {
	path := filepath.Join(logDir(t), "daemon.log")
	if err := errors.Join(os.WriteFile(path, []byte("old\n"), 0o600), os.Chmod(path, 0o664)); err != nil {
		t.Fatal(err)
	}
	l, err := Open(path, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer l.file.Close()
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info.Mode(), err)
	}
}
