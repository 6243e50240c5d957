package helper

import (
	"syscall"
	"unsafe"
)

// onTerminal reports whether fd is a terminal.
func onTerminal(fd int) bool {
	var settings syscall.Termios
	_, _, errno := syscall.Syscall(syscall.SYS_IOCTL, uintptr(fd), syscall.TCGETS, uintptr(unsafe.Pointer(&settings)))
	return errno == 0
}
