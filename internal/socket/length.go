// Package socket decides whether to trust the daemon's socket, connects to it, and starts the daemon.
//
// The helper is run on every call of every tool, so this package keeps to what package os needs anyway: package place
// says what that saves.
package socket

import (
	"syscall"

	"github.com/tcred/tcred/api"
	"github.com/tcred/tcred/internal/human"
)

// MaxPath is how many bytes of path fit a socket's address: 107 on Linux, 103 on macOS.
const MaxPath = len(syscall.RawSockaddrUnix{}.Path) - 1

// CheckLength refuses a path that does not fit a socket's address, and says so: the system would only call it invalid.
func CheckLength(path string) error {
	if len(path) <= MaxPath {
		return nil
	}
	return &api.Error{
		Code: api.BadRequest,
		Message: "the socket's path is " + human.Itoa(len(path), 10) + " bytes long, the limit is " +
			human.Itoa(MaxPath, 10) + ": " + human.Quote(path),
		Hint: "set " + api.EnvSocket + " to a shorter path in a directory of your own",
	}
}
