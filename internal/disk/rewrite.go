package disk

import (
	"os"
	"path/filepath"
)

// Rewrite makes data the content of a file of this user's that is there, whole or not at all as Write does. The file
// keeps its mode, and a link to it stays one. A file that belongs to somebody else is a Fault. temp is as in Write.
func Rewrite(path, temp string, data []byte) error {
	target, err := filepath.EvalSymlinks(path)
	if err != nil {
		return err
	}
	info, err := os.Stat(target)
	switch {
	case err != nil:
		return err
	case !info.Mode().IsRegular():
		return &Fault{Path: target, What: "is " + kind(info.Mode()) + ", not a file"}
	case hasOwners && !ours(info):
		return &Fault{Path: target, What: "belongs to another user", Cure: "copy it, and put the copy in its place"}
	}
	prepare := func(f *os.File) error {
		if err := keepGroup(f, info); err != nil {
			return err
		}
		return f.Chmod(info.Mode().Perm())
	}
	return writeWith(target, temp, data, prepare, func(string) error { return nil })
}
