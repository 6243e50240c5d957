package socket

import (
	"errors"
	"io/fs"
	"os"
	"time"

	"github.com/tcred/tcred/api"
	"github.com/tcred/tcred/internal/human"
)

// ErrNotListening is in the error of [Dial]: there is no daemon on Windows yet.
var ErrNotListening = errors.New("nobody listens")

// Conn is a connection to the daemon; on Windows there is none.
type Conn struct{}

// Dial fails: there is no daemon on Windows yet.
func Dial(string, time.Time) (*Conn, error) {
	return nil, &api.Error{
		Code: api.NoDaemon, Message: "the daemon is not available on windows yet",
		Hint: "use --no-daemon: tcred get --no-daemon", Cause: ErrNotListening,
	}
}

// DialOrStart fails as [Dial] does.
func DialOrStart(address, binary string, deadline time.Time) (*Conn, error) {
	return Dial(address, deadline)
}

// BinaryBeside fails: there is no daemon to start.
func BinaryBeside() (string, error) { return "", ErrNotListening }

// PeerOf fails: where the kernel does not tell who is at the other end, nobody is trusted.
func PeerOf(int) (uid, pid int, err error) { return 0, 0, errors.ErrUnsupported }

// SetDeadline does nothing.
func (*Conn) SetDeadline(time.Time) {}

// Server knows nobody.
func (*Conn) Server() int { return 0 }

// Read fails.
func (*Conn) Read([]byte) (int, error) { return 0, ErrNotListening }

// Write fails.
func (*Conn) Write([]byte) (int, error) { return 0, ErrNotListening }

// Close does nothing.
func (*Conn) Close() error { return nil }

// File fails.
func (*Conn) File() (*os.File, error) { return nil, ErrNotListening }

// CheckDir says whether dir is a directory and no link. Its access list comes from the user's profile above it.
func CheckDir(dir string) error {
	info, err := os.Lstat(dir)
	if err != nil {
		return err
	}
	if !info.IsDir() || info.Mode()&fs.ModeSymlink != 0 {
		return &api.Error{
			Code: api.Forbidden, Message: human.Quote(dir) + " is not a directory", Hint: "remove it, or set " + api.EnvSocket,
		}
	}
	return nil
}

// MakeDir makes dir and what is missing above it.
func MakeDir(dir string) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return &api.Error{
			Code: api.Forbidden, Message: "cannot make directory " + human.Quote(dir) + ": " + err.Error(), Cause: err,
		}
	}
	return CheckDir(dir)
}
