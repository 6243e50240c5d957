//go:build unix

package disk

import (
	"os"

	"golang.org/x/sys/unix"
)

// Writable says why no file can be written in a directory, nil if one can. It writes none itself, so it does not see
// every reason: a quota, for one.
func Writable(dir string) error {
	if err := unix.Access(dir, unix.W_OK|unix.X_OK); err != nil {
		return &os.PathError{Op: "write in", Path: dir, Err: err}
	}
	var fs unix.Statfs_t
	if err := unix.Statfs(dir, &fs); err != nil {
		return nil // it can be written, as far as anybody knows
	}
	free := uint64(fs.Bavail)
	if os.Geteuid() == 0 {
		free = uint64(fs.Bfree)
	}
	if fs.Blocks > 0 && free == 0 || fs.Files > 0 && fs.Ffree == 0 {
		return &os.PathError{Op: "write in", Path: dir, Err: unix.ENOSPC}
	}
	return nil
}
