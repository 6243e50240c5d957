//go:build unix

package disk

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"sync"
	"syscall"
)

// hasOwners: files have an owner and a mode here.
const hasOwners = true

func ours(info fs.FileInfo) bool {
	stat, ok := info.Sys().(*syscall.Stat_t)
	return ok && int(stat.Uid) == os.Geteuid()
}

// Stranger is a file's owner if that is neither this user nor root, else "". Whatever the mode says now, the owner can
// write. On Windows it is always "", as Writers is.
func Stranger(info fs.FileInfo) string {
	stat, ok := info.Sys().(*syscall.Stat_t)
	if !ok || stat.Uid == 0 || int(stat.Uid) == os.Geteuid() || stat.Uid == rootHere() {
		return ""
	}
	return fmt.Sprintf("another user (uid %d)", stat.Uid)
}

// rootHere is the owner of the root directory. In a user namespace that knows of nobody but this user, as of a systemd
// service in its sandbox, root's files seem to be nobody's, and so do all other users': they cannot be told apart there.
var rootHere = sync.OnceValue(func() uint32 {
	info, err := os.Stat("/")
	if err != nil {
		return 0
	}
	stat, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return 0
	}
	return stat.Uid
})

// Writers says who besides the owner can write a file, "" if nobody can. The group of a user's own, which has the
// user's number on systems that make one, is nobody else.
func Writers(info fs.FileInfo) string {
	stat, ok := info.Sys().(*syscall.Stat_t)
	switch perm := info.Mode().Perm(); {
	case perm&0o002 != 0:
		return "everybody"
	case perm&0o020 != 0 && (!ok || stat.Gid != stat.Uid):
		return "its group"
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
