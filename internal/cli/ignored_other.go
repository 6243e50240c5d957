//go:build !linux

package cli

import "os"

// ignoredAtStart is none: INT and HUP, which the Go runtime leaves ignored, need nothing.
func ignoredAtStart() []os.Signal { return nil }
