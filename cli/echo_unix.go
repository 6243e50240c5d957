//go:build linux || darwin

package cli

import (
	"os"

	"golang.org/x/sys/unix"
)

// readHidden reads a line from a terminal that is muted: what mutes it is not left to a reader that an interrupt overtakes.
func readHidden(terminal *os.File) (string, error) { return readLine(terminal) }

// muted makes a terminal show nothing of what is typed, also while nobody reads it. restore undoes that.
func muted(terminal *os.File) (restore func()) {
	fd := int(terminal.Fd())
	before, err := unix.IoctlGetTermios(fd, getTermios)
	if err != nil {
		return func() {}
	}
	quiet := *before
	quiet.Lflag &^= unix.ECHO
	unix.IoctlSetTermios(fd, setTermios, &quiet)                   // if that fails, what is asked for is hidden all the same
	return func() { unix.IoctlSetTermios(fd, setTermios, before) } // nothing else can be done about it
}
