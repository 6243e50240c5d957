package cache

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/gofrs/flock"
)

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
	held, err := d.lock(ctx, string(key))
	if err != nil {
		return nil, err
	}
	if OnNetwork(d.path) {
		d.warnOnce("the cache is on a network file system, where locks may not hold between machines", d.path,
			errors.New("two machines may each ask for a credential"))
	}
	return func() { held.Unlock() }, nil
}

// lock takes a name's lock file. A Flock is made new for each try: a second TryLock on one always succeeds.
func (d *Dir) lock(ctx context.Context, name string) (*flock.Flock, error) {
	for {
		if err := d.make(); err != nil {
			return nil, fmt.Errorf("%w: %w", errNoLock, err)
		}
		held := flock.New(d.file(name, lockSuffix))
		_, err := held.TryLockContext(ctx, lockRetry)
		switch {
		case err == nil && inPlace(held):
			d.discardTemps(name)
			return held, nil
		case err == nil:
			held.Unlock()
		case ctx.Err() != nil:
			return nil, fmt.Errorf("waiting for %s: %w", held.Path(), ctx.Err())
		default:
			return nil, fmt.Errorf("%w: %w", errNoLock, err)
		}
	}
}

// discardTemps removes what an earlier holder of the lock left who was killed at a write. Each new holder does it, so
// that Sweep, which passes by what is locked, leaves nothing there for good.
func (d *Dir) discardTemps(name string) {
	names, err := d.list()
	if err != nil {
		return // Sweep tells of it
	}
	d.discard(name, slices.DeleteFunc(names[name], func(suffix string) bool { return !strings.HasPrefix(suffix, tempSuffix) }))
}

// tryLock takes a name's lock file if nobody holds it.
func (d *Dir) tryLock(name string) (*flock.Flock, bool) {
	held := flock.New(d.file(name, lockSuffix))
	if ok, err := held.TryLock(); err != nil || !ok {
		return nil, false
	}
	if !inPlace(held) {
		held.Unlock()
		return nil, false
	}
	return held, true
}

// inPlace reports whether the file that is locked is the one that others find: Sweep may have removed it between
// our opening it and our locking it, and somebody may hold a new one of its name.
func inPlace(held *flock.Flock) bool {
	ours, err := held.Stat()
	if err != nil {
		return false
	}
	theirs, err := os.Lstat(held.Path())
	return err == nil && os.SameFile(ours, theirs)
}
