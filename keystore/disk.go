package keystore

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/tcred/tcred/api"
)

// maxFile bounds every file of a keystore, in bytes: none has a reason to come near.
const maxFile = 64 << 10

// readSmall reads a regular file of at most maxFile bytes.
func readSmall(path string) ([]byte, error) { return readUpTo(path, maxFile) }

func readUpTo(path string, limit int) ([]byte, error) {
	info, err := os.Stat(path) // before opening: a pipe would block there
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%s is not a regular file", path)
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, int64(limit)+1))
	if err != nil {
		return nil, err
	}
	if len(data) > limit {
		return nil, fmt.Errorf("%s is longer than %d bytes", path, limit)
	}
	return data, nil
}

// writeAtomic makes data the content of path, 0600, whole or not at all, also across a power cut.
func writeAtomic(path string, data []byte) error {
	f, err := os.CreateTemp(filepath.Dir(path), ".tmp-*") // makes it 0600
	if err != nil {
		return err
	}
	defer os.Remove(f.Name()) // gone already when all went well
	_, err = f.Write(data)
	if err == nil {
		err = f.Sync()
	}
	if closed := f.Close(); err == nil {
		err = closed
	}
	if err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	if err := os.Rename(f.Name(), path); err != nil {
		return err
	}
	return syncDir(filepath.Dir(path))
}

// ownDir checks that path is a directory, no link to one, and ours alone. A missing one is fs.ErrNotExist. what
// names it in a message.
func ownDir(what, path string) error {
	info, err := os.Lstat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return err
	case err != nil:
		return fail(api.KeystoreFailed, "", "%s cannot be read: %w", what, err)
	case info.Mode()&fs.ModeSymlink != 0:
		return fail(api.KeystoreFailed, "put the directory itself in the link's place", "%s %s is a link", what, path)
	case !info.IsDir():
		return fail(api.KeystoreFailed, "move it away", "%s %s is not a directory", what, path)
	}
	if err := private(path, info); err != nil {
		return fail(api.KeystoreFailed, closing(path, info, "700"), "%s is not private: %w", what, err)
	}
	return nil
}

// closing is the cure for a path that private refuses.
func closing(path string, info fs.FileInfo, mode string) string {
	if ownersExist && !ours(info) {
		return "chown it to yourself, then chmod " + mode + " " + path
	}
	return "chmod " + mode + " " + path
}

// private checks that path is ours alone; info is its lstat or, where links are fine, its stat.
// The error is for a person: it names the path and the fault.
func private(path string, info fs.FileInfo) error {
	if !ownersExist {
		return nil
	}
	if !ours(info) {
		return fmt.Errorf("%s belongs to another user", path)
	}
	if open := info.Mode().Perm() & 0o077; open != 0 {
		return fmt.Errorf("%s is open to others (mode %04o)", path, info.Mode().Perm())
	}
	return nil
}
