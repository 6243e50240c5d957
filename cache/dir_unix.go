//go:build unix

package cache

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"syscall"

	"github.com/gofrs/flock"
)

// accessFault says what is wrong with a directory's owner or mode, "" if nothing is.
func accessFault(info fs.FileInfo) string {
	if st, ok := info.Sys().(*syscall.Stat_t); !ok || int(st.Uid) != os.Geteuid() {
		return "belongs to another user"
	}
	if mode := info.Mode().Perm(); mode&0o077 != 0 {
		return fmt.Sprintf("is open to other users (mode %04o, not 0700)", mode)
	}
	return ""
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

// removeHeld removes a lock file and lets it go, in this order: a file without its lock held may be
// somebody's lock already.
func removeHeld(held *flock.Flock) {
	os.Remove(held.Path())
	held.Unlock()
}
