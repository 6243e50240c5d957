//go:build unix

package keystore

import (
	"io/fs"
	"os"
	"syscall"
)

// ownersExist: files have an owner and a mode here.
const ownersExist = true

func ours(info fs.FileInfo) bool {
	stat, ok := info.Sys().(*syscall.Stat_t)
	return ok && int(stat.Uid) == os.Geteuid()
}

// syncDir makes a rename in path last.
func syncDir(path string) error {
	d, err := os.Open(path)
	if err != nil {
		return err
	}
	defer d.Close()
	return d.Sync()
}
