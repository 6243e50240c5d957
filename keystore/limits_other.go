//go:build !linux

package keystore

// memoryLeft knows of no limits here.
func memoryLeft(int64) (free int64, limit string) { return 0, "" }
