//go:build !linux

package process

import "os"

// IgnoredAtStart is none: INT and HUP, which the Go runtime leaves ignored, need nothing.
func IgnoredAtStart() []os.Signal { return nil }
