package disk

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
)

// SamePath reports whether two absolute paths lead to one file, by whatever names: through links, or where the same
// directories are mounted twice. Neither need exist: then their directories tell.
func SamePath(a, b string) bool {
	if a == b {
		return true
	}
	if !filepath.IsAbs(a) || !filepath.IsAbs(b) {
		return false
	}
	ofA, errA := os.Stat(a)
	ofB, errB := os.Stat(b)
	if errA == nil && errB == nil {
		return os.SameFile(ofA, ofB)
	}
	missing := errors.Is(errA, fs.ErrNotExist) && errors.Is(errB, fs.ErrNotExist)
	return missing && filepath.Base(a) == filepath.Base(b) && SamePath(filepath.Dir(a), filepath.Dir(b))
}
