//go:build !linux

package doctor

// memory says nothing: only Linux tells.
func (x *examination) memory() {}
