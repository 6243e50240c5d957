//go:build unix

package config

import (
	"fmt"
	"io/fs"
	"os"
	"syscall"
)

// stranger is a file's owner if that is neither this user nor root, else "". Whatever the mode says now, the owner can
// write.
func stranger(info fs.FileInfo) string {
	stat, ok := info.Sys().(*syscall.Stat_t)
	if !ok || stat.Uid == 0 || int(stat.Uid) == os.Geteuid() {
		return ""
	}
	return fmt.Sprintf("another user (uid %d)", stat.Uid)
}

// writers says who besides the owner can write a file, "" if nobody can. The group of a user's own, which has the
// user's number on systems that make one, is nobody else.
func writers(info fs.FileInfo) string {
	stat, ok := info.Sys().(*syscall.Stat_t)
	switch perm := info.Mode().Perm(); {
	case perm&0o002 != 0:
		return "everybody"
	case perm&0o020 != 0 && (!ok || stat.Gid != stat.Uid):
		return "its group"
	}
	return ""
}
