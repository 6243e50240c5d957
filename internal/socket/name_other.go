//go:build !linux && !darwin

package socket

// NameOf does not know there.
func NameOf(int) string { return "" }
