package daemon

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/gofrs/flock"

	"github.com/tcred/tcred/api"
	"github.com/tcred/tcred/internal/disk"
	"github.com/tcred/tcred/internal/socket"
)

// lockBeside takes the lock beside the socket at path, whose directory is ours; ErrRunning if a daemon holds it. A link
// or anything else than a file in its place is refused. On a file system without locks it is not held, and no error.
func lockBeside(path string) (*flock.Flock, error) {
	name := path + ".lock"
	if info, err := os.Lstat(name); err == nil && !info.Mode().IsRegular() {
		return nil, &api.Error{Code: api.Internal, Message: name + " is in the way: it is not a file", Hint: "move it away"}
	}
	lock := disk.NewLock(name)
	held, err := lock.TryLock()
	if disk.NoLocks(err) {
		return lock, nil
	}
	if err != nil {
		return nil, fmt.Errorf("locking %s: %w", name, err)
	}
	if !held {
		return nil, fmt.Errorf("%s: %w", path, ErrRunning)
	}
	if err := lockedIsNamed(lock); err != nil {
		return nil, errors.Join(err, lock.Close())
	}
	return lock, nil
}

// lockedIsNamed looks again now that the lock is held: a directory or a file that was replaced meanwhile would let
// another daemon hold its own.
func lockedIsNamed(lock *flock.Flock) error {
	open, err := lock.Stat()
	if err != nil {
		return fmt.Errorf("looking at the lock: %w", err)
	}
	if err := socket.CheckDir(filepath.Dir(lock.Path())); err != nil {
		return err
	}
	named, err := os.Lstat(lock.Path())
	if err != nil || !os.SameFile(open, named) {
		return &api.Error{
			Code: api.NoDaemon, Message: lock.Path() + " was replaced while it was being locked", Hint: "try again", Cause: err,
		}
	}
	return nil
}
