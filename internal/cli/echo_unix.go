//go:build linux || darwin

package cli

import (
	"os"

	"golang.org/x/sys/unix"
)

// readHidden reads a line from a terminal that is muted: what mutes it is not left to a reader that an interrupt overtakes.
func readHidden(terminal *os.File) (string, error) { return readLine(terminal) }

// muted makes a terminal show nothing of what is typed, also while nobody reads it. restore undoes that. Lines and ^C work
// even where another program left it raw; ^Z and ^\ do not, for after them nobody would restore it.
func muted(terminal *os.File) (restore func(), err error) {
	fd := int(terminal.Fd())
	before, err := unix.IoctlGetTermios(fd, getTermios)
	if err != nil {
		return nil, err
	}
	quiet := *before
	quiet.Lflag = quiet.Lflag&^unix.ECHO | unix.ICANON | unix.ISIG
	quiet.Iflag |= unix.ICRNL
	quiet.Cc[unix.VSUSP], quiet.Cc[unix.VQUIT] = disabled, disabled
	if err := unix.IoctlSetTermios(fd, setTermios, &quiet); err != nil {
		return nil, err
	}
	return func() { unix.IoctlSetTermios(fd, setTermios, before) }, nil // nothing else can be done about it
}
