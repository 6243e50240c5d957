//go:build !linux && !darwin

package process

func Harden() {}

func Hide() {}
