package disk

import (
	"errors"
	"os"
	"syscall"

	"github.com/gofrs/flock"
)

// NewLock is the lock file at path, not taken. It is made when it is missing, 0600; a link is not followed, and a pipe
// not waited for. Each try needs a new one: a second TryLock on one that is held always succeeds.
func NewLock(path string) *flock.Flock {
	return flock.New(path, flock.SetFlag(os.O_CREATE|os.O_RDWR|plainOnly), flock.SetPermissions(0o600))
}

// NoLocks reports that err says of a file system that it has no locks, as those of some clusters.
func NoLocks(err error) bool {
	return errors.Is(err, errors.ErrUnsupported) || errors.Is(err, syscall.ENOLCK)
}
