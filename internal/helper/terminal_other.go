//go:build !linux && !darwin

package helper

import "syscall"

// onTerminal is false: there is no daemon to wait for.
func onTerminal(syscall.Handle) bool { return false }
