//go:build !linux && !darwin

package tty

import (
	"os"

	"golang.org/x/term"
)

// readHidden reads a line that is not shown.
func readHidden(terminal *os.File) (string, error) {
	text, err := term.ReadPassword(int(terminal.Fd()))
	return string(text), err
}

// mute has nothing to do: a console of Windows shows what is typed only while it is read.
func mute(*os.File) (restore func(), err error) { return func() {}, nil }
