package cache

import (
	"os"

	"github.com/gofrs/flock"
)

// removeHeld lets a lock file go and then removes it: Windows removes no file that anybody has open, so one
// that was locked again meanwhile stays.
func removeHeld(held *flock.Flock) {
	held.Unlock()
	os.Remove(held.Path())
}
