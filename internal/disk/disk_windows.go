package disk

import "io/fs"

// hasOwners: modes say nothing on Windows.
const hasOwners = false

func ours(fs.FileInfo) bool { return true }

// Stranger and Writers say nothing: the mode bits do not tell, and a profile directory is its user's alone.
func Stranger(fs.FileInfo) string { return "" }
func Writers(fs.FileInfo) string  { return "" }

// syncDir does nothing: Windows has no such call.
func syncDir(string) error { return nil }
