package disk

import (
	"errors"
	"syscall"
)

// NoLocks reports that err says of a file system that it has no locks, as those of some clusters.
func NoLocks(err error) bool {
	return errors.Is(err, errors.ErrUnsupported) || errors.Is(err, syscall.ENOLCK)
}
