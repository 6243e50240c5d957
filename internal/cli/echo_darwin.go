package cli

import "golang.org/x/sys/unix"

// The calls that get and set how a terminal behaves.
const getTermios, setTermios = unix.TIOCGETA, unix.TIOCSETA

// disabled is no key, in place of one that makes a signal.
const disabled = 0xff
