//go:build linux || darwin

package tty

import (
	"os"

	"golang.org/x/sys/unix"
)

// readHidden reads a line from a terminal that is mute already. term.ReadPassword would mute it here, in a goroutine
// that may run only after an interrupt has restored the terminal, and the terminal would stay mute.
func readHidden(terminal *os.File) (string, error) { return readLine(terminal) }

// mute stops a terminal from showing what is typed, also while nobody reads it. Call restore to undo that.
//
// Another program may have left the terminal in raw mode: lines and ^C work again. ^Z and ^\ do not work, because
// they would end or stop this process before it can restore the terminal.
func mute(terminal *os.File) (restore func(), err error) {
	fd := int(terminal.Fd())
	before, err := unix.IoctlGetTermios(fd, getTermios)
	if err != nil {
		return nil, err
	}
	muted := *before
	muted.Lflag = muted.Lflag&^unix.ECHO | unix.ICANON | unix.ISIG
	muted.Iflag |= unix.ICRNL
	muted.Cc[unix.VSUSP], muted.Cc[unix.VQUIT] = noKey, noKey
	if err := unix.IoctlSetTermios(fd, setTermios, &muted); err != nil {
		return nil, err
	}
	return func() { unix.IoctlSetTermios(fd, setTermios, before) }, nil // if that fails, nothing else can be done
}
