package helper

import "golang.org/x/sys/unix"

// onTerminal reports whether fd is a terminal.
func onTerminal(fd int) bool {
	_, err := unix.IoctlGetTermios(fd, unix.TIOCGETA)
	return err == nil
}
