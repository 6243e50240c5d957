package cache

import (
	"io/fs"
	"os"

	"github.com/gofrs/flock"
)

// accessFault has nothing to say: a user's cache directory inherits an access list that admits nobody else.
func accessFault(fs.FileInfo) string { return "" }

// syncDir does nothing: Windows has no such call.
func syncDir(string) error { return nil }

// removeHeld lets a lock file go and then removes it: Windows removes no file that anybody has open, so one
// that was locked again meanwhile stays.
func removeHeld(held *flock.Flock) {
	held.Unlock()
	os.Remove(held.Path())
}
