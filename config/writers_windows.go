package config

import "io/fs"

// writers and stranger say nothing on Windows, where the mode bits do not tell: a profile directory is its user's alone.
func writers(fs.FileInfo) string  { return "" }
func stranger(fs.FileInfo) string { return "" }
