package disk

import (
	"fmt"
	"io/fs"
	"os"
)

// Private checks that a file or directory is ours alone: of this user, and open to nobody else. info is its stat. The
// error is a Fault. On Windows there is none: a user's directories have access lists that admit nobody else.
func Private(path string, info fs.FileInfo) error {
	mode := "600"
	if info.IsDir() {
		mode = "700"
	}
	switch perm := info.Mode().Perm(); {
	case !hasOwners:
		return nil
	case !ours(info):
		return &Fault{path, "belongs to another user", "chown it to yourself, then chmod " + mode + " " + path}
	case perm&0o077 != 0:
		return &Fault{path, fmt.Sprintf("is open to other users (mode %04o)", perm), "chmod " + mode + " " + path}
	}
	return nil
}

// PrivateDir checks that path is a directory, no link to one, and ours alone. The error is a Fault, or that of
// os.Lstat: fs.ErrNotExist if nothing is there.
func PrivateDir(path string) error {
	info, err := os.Lstat(path)
	switch {
	case err != nil:
		return err
	case info.Mode()&fs.ModeSymlink != 0:
		return &Fault{path, "is a link", "put the directory itself in the link's place"}
	case !info.IsDir():
		return &Fault{path, "is not a directory", "move it away"}
	}
	return Private(path, info)
}
