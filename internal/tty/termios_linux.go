package tty

import "golang.org/x/sys/unix"

// The calls that get and set how a terminal behaves.
const getTermios, setTermios = unix.TCGETS, unix.TCSETS

// noKey takes the place of a key that makes a signal.
const noKey = 0
