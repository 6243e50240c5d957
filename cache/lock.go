package cache

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/gofrs/flock"
)

var errNoLock = errors.New("cannot lock the cache entry")

// lockRetry is how often a waiter tries again: seldom enough for 200 of them, soon enough for a person.
const lockRetry = 20 * time.Millisecond

// Lock waits until ctx ends for the right to renew the entry of key, among all processes; within one process it
// works as well. After it, Get again: whoever held it may have renewed the entry. unlock may be called twice.
// An error comes at once where no lock can be had (read-only, full, not ours): go on without one. When somebody else
// held it to the end, it is ctx's.
func (d *Dir) Lock(ctx context.Context, key Key) (unlock func(), err error) {
	if err := key.check(); err != nil {
		return nil, err
	}
	if err := d.make(); err != nil {
		return nil, fmt.Errorf("%w: %w", errNoLock, err)
	}
	lock := d.newLock(key)
	switch _, err := lock.TryLockContext(ctx, lockRetry); {
	case err == nil:
	case ctx.Err() != nil:
		return nil, fmt.Errorf("waiting for %s: %w", lock.Path(), ctx.Err())
	default:
		return nil, fmt.Errorf("%w: %w", errNoLock, err)
	}
	if OnNetwork(d.path) {
		d.warnOnce("the cache is on a network file system, where locks may not hold between machines", d.path,
			errors.New("two machines may each ask for a credential"))
	}
	d.remove(d.file(key, tempSuffix)) // a writer that was killed left it
	return func() { lock.Unlock() }, nil
}

// newLock returns the lock of key, not taken. Each try needs a new one: a second TryLock on one always succeeds.
func (d *Dir) newLock(key Key) *flock.Flock { return flock.New(d.file(key, lockSuffix)) }

// deleteUnlocked removes the temporary file and the lock file of key, unless somebody holds the lock.
func (d *Dir) deleteUnlocked(key Key) {
	lock := d.newLock(key)
	if locked, err := lock.TryLock(); err == nil && !locked {
		return
	} // an error: nobody can hold it
	d.remove(d.file(key, tempSuffix))
	lock.Unlock() // first, for Windows removes no file that is open
	d.remove(lock.Path())
}

// remove removes a file, or a directory in its place. That there is none is nothing to warn of.
func (d *Dir) remove(path string) (removed bool) {
	err := os.RemoveAll(path)
	if err != nil {
		d.warnOnce("cache file cannot be removed", path, err)
	}
	return err == nil
}
