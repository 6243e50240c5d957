//go:build unix

package disk

import (
	"errors"
	"io/fs"
	"os"
	"syscall"
)

// hasOwners: files have an owner and a mode here.
const hasOwners = true

func ours(info fs.FileInfo) bool {
	stat, ok := info.Sys().(*syscall.Stat_t)
	return ok && int(stat.Uid) == os.Geteuid()
}

// syncDir makes a rename in the directory last through a power cut, where the file system knows how.
func syncDir(path string) error {
	dir, err := os.Open(path)
	if err != nil {
		return err
	}
	defer dir.Close()
	if err := dir.Sync(); !errors.Is(err, syscall.EINVAL) {
		return err
	}
	return nil
}
