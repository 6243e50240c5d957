//go:build unix

package config

import (
	"io/fs"
	"syscall"
)

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
