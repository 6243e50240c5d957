//go:build unix

package cache

import (
	"os"

	"github.com/gofrs/flock"
)

// removeHeld removes a lock file and lets it go, in this order: a file without its lock held may be
// somebody's lock already.
func removeHeld(held *flock.Flock) {
	os.Remove(held.Path())
	held.Unlock()
}
