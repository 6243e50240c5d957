//go:build unix

package logfile

import "syscall"

// plainOnly makes opening a link an error, and opening a pipe one in place of a wait for its reader.
const plainOnly = syscall.O_NOFOLLOW | syscall.O_NONBLOCK
