//go:build unix

package disk

import (
	"errors"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"syscall"
	"testing"
)

func TestNothingIsWaitedFor(t *testing.T) {
	dir, err := os.MkdirTemp("", "tcred") // short, for the socket
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(dir)
	pipe, socket := filepath.Join(dir, "pipe"), filepath.Join(dir, "socket")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	listener, err := net.Listen("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	for path, what := range map[string]string{pipe: "a named pipe", socket: "a socket", os.DevNull: "a device"} {
		_, err := Open(path)
		wantFault(t, err, path, what, "")
	}
}

func TestWhatIsNotOursAloneIsNamedWithItsCure(t *testing.T) {
	for what, tt := range map[string]struct {
		cure   string
		change func(path string) error
	}{
		"is open to other users (mode 0710)": {
			"chmod ", func(p string) error { return os.Chmod(p, 0o710) },
		},
		"belongs to another user": {
			"chown it to yourself, then chmod ", func(p string) error { return os.Chown(p, 65534, -1) },
		},
	} {
		t.Run(what, func(t *testing.T) {
			if what == "belongs to another user" && os.Geteuid() != 0 {
				t.Skip("only root can give a file away")
			}
			dir := t.TempDir()
			file := filepath.Join(dir, "file")
			write(t, file, "")
			for path, mode := range map[string]string{dir: "700 ", file: "600 "} {
				if err := errors.Join(os.Chmod(path, 0o700), Private(path, stat(t, path))); err != nil {
					t.Error(err)
				}
				if err := tt.change(path); err != nil {
					t.Fatal(err)
				}
				wantFault(t, Private(path, stat(t, path)), path, what, tt.cure+mode+path)
			}
			wantFault(t, PrivateDir(dir), dir, what, tt.cure)
		})
	}
}

func TestOnlyADirectoryIsAPrivateDir(t *testing.T) {
	dir := t.TempDir()
	file, link, absent := filepath.Join(dir, "file"), filepath.Join(dir, "link"), filepath.Join(dir, "absent")
	write(t, file, "")
	if err := errors.Join(os.Chmod(dir, 0o700), os.Symlink(dir, link), PrivateDir(dir)); err != nil {
		t.Error(err)
	}
	wantFault(t, PrivateDir(file), file, "is not a directory", "move it away")
	wantFault(t, PrivateDir(link), link, "is a link", "put the directory itself")
	if err := PrivateDir(absent); !errors.Is(err, fs.ErrNotExist) {
		t.Error(err)
	}
}

func TestAFileThatLostItsNameIsNotMoved(t *testing.T) {
	for name, take := range map[string]func(path string) error{
		"removed":  os.Remove,
		"replaced": func(path string) error { return errors.Join(os.Rename(path, path+"2"), os.WriteFile(path, nil, 0o600)) },
	} {
		f, err := create(t.TempDir(), "x")
		if err != nil {
			t.Fatal(err)
		}
		if err := take(f.Name()); err != nil {
			t.Fatal(err)
		}
		if err := fill(f, []byte("text")); !errors.Is(err, errTaken) {
			t.Errorf("%s: %v, want errTaken", name, err)
		}
	}
}

// Another process believes that the writer was killed, removes its temporary file, and makes one of the same name: that
// one is neither moved into place nor removed.
func TestWriteLeavesAFileAloneThatReplacedItsTemporaryFile(t *testing.T) {
	dir := t.TempDir()
	path, temp := filepath.Join(dir, "file"), filepath.Join(dir, "x")
	write(t, path, "first")
	taken := make(chan error)
	go func() {
		for os.Remove(temp) != nil {
			runtime.Gosched() // until there is one
		}
		taken <- os.WriteFile(temp, []byte("another's"), 0o600)
	}()
	large := make([]byte, 64<<20) // which takes a while
	if err := Write(path, "x", large); !errors.Is(err, errTaken) {
		t.Fatalf("%v, want errTaken", err)
	}
	if err := <-taken; err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{path: "first", temp: "another's"} {
		if got, err := Read(path, 99); err != nil || string(got) != want {
			t.Errorf("%s holds %q, %v; want %q", path, got, err, want)
		}
	}
}

func TestWhoCanChangeAFileIsNamed(t *testing.T) {
	path := filepath.Join(t.TempDir(), "file")
	write(t, path, "")
	for mode, want := range map[os.FileMode]string{0o644: "", 0o602: "everybody", 0o666: "everybody"} {
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
		if got := Writers(stat(t, path)); got != want {
			t.Errorf("%o: %q", mode, got)
		}
	}
	if got := Stranger(stat(t, path)); got != "" {
		t.Errorf("ours belongs to %q", got)
	}
	if os.Chown(path, 65534, -1) == nil {
		if got := Stranger(stat(t, path)); got != "another user (uid 65534)" {
			t.Errorf("a stranger's belongs to %q", got)
		}
	}
}

// Some file systems cannot sync a directory, and say so by EINVAL: a file that was moved there is there all the same.
func TestADirectoryThatCannotBeSyncedIsNoError(t *testing.T) {
	const odd = "/proc"
	dir, err := os.Open(odd)
	if err != nil {
		t.Skip(err)
	}
	defer dir.Close()
	if err := dir.Sync(); !errors.Is(err, syscall.EINVAL) {
		t.Skipf("%s can be synced: %v", odd, err)
	}
	if err := syncDir(odd); err != nil {
		t.Error(err)
	}
}

func stat(t *testing.T, path string) fs.FileInfo {
	t.Helper()
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	return info
}
