//go:build unix

package socket

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"syscall"
	"time"

	"github.com/tcred/tcred/api"
)

// ErrNotListening is in the error of [Dial] when there is no socket, or one that nobody serves.
var ErrNotListening = errors.New("nobody listens")

// Conn is a connection to the daemon. It blocks in the system call itself, with the deadline as the
// socket's own time limit, since a poller costs more than the whole exchange. Not for concurrent use.
type Conn struct {
	fd       int
	deadline time.Time
}

// Dial connects to the daemon at path and bounds the connection by deadline (the zero time: no bound).
// It trusts neither a directory that fails [CheckDir] nor a server of another uid. Errors are *api.Error.
func Dial(path string, deadline time.Time) (*Conn, error) {
	if err := checkLength(path); err != nil {
		return nil, err
	}
	err := CheckDir(dirOf(path))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, notListening(path)
	}
	if err != nil {
		return nil, err
	}
	fd, err := newSocket()
	if err != nil {
		return nil, noDaemon("cannot make a socket: "+reason(err), err)
	}
	c := &Conn{fd, deadline}
	if err := c.connect(path); err != nil {
		c.Close()
		return nil, err
	}
	if err := c.checkServer(path, os.Geteuid()); err != nil {
		c.Close()
		return nil, err
	}
	return c, nil
}

func (c *Conn) connect(path string) error {
	for {
		if err := c.limit(syscall.SO_SNDTIMEO); err != nil {
			return tooSlow(path)
		}
		switch err := syscall.Connect(c.fd, &syscall.SockaddrUnix{Name: path}); err {
		case nil, syscall.EISCONN:
			return nil
		case syscall.EINTR:
		case syscall.EAGAIN: // the queue of connections stayed full
			return tooSlow(path)
		case syscall.ENOENT:
			return notListening(path)
		case syscall.ECONNREFUSED:
			return refused(path)
		default:
			return noDaemon("cannot connect to "+api.Quote(path)+": "+reason(err), err)
		}
	}
}

// refused tells a socket that nobody serves from something else in its place, which no daemon would replace.
func refused(path string) error {
	info, err := os.Lstat(path)
	if err == nil && info.Mode()&(fs.ModeSocket|fs.ModeSymlink) == 0 {
		return &api.Error{Code: api.Internal, Message: api.Quote(path) + " is in the way: it is not a socket", Hint: "move it away"}
	}
	return notListening(path)
}

// checkServer refuses a server that runs under another uid than ours: it would learn what we ask, and hand us
// credentials of its own choice.
func (c *Conn) checkServer(path string, ours int) error {
	uid, err := peerUID(c.fd)
	if err != nil {
		return noDaemon("cannot tell who listens on "+api.Quote(path)+": "+reason(err), err)
	}
	if uid != ours {
		return &api.Error{
			Code:    api.Forbidden,
			Message: "the server on " + api.Quote(path) + " runs as uid " + itoa(uid, 10) + ", not as you (uid " + itoa(ours, 10) + ")",
			Hint:    "it was asked nothing; stop it, or set " + api.EnvSocket + " to another path",
		}
	}
	return nil
}

// Read reads what is there, waiting for the first byte. After the deadline it fails with os.ErrDeadlineExceeded.
func (c *Conn) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	for {
		if err := c.limit(syscall.SO_RCVTIMEO); err != nil {
			return 0, err
		}
		n, err := syscall.Read(c.fd, p)
		switch {
		case err == syscall.EINTR: // a signal ends even a restarted call once it has a time limit
		case err == syscall.EAGAIN:
			return 0, os.ErrDeadlineExceeded
		case err != nil:
			return 0, err
		case n == 0:
			return 0, io.EOF
		default:
			return n, nil
		}
	}
}

// Write writes all of p. After the deadline it fails with os.ErrDeadlineExceeded.
func (c *Conn) Write(p []byte) (int, error) {
	done := 0
	for done < len(p) {
		if err := c.limit(syscall.SO_SNDTIMEO); err != nil {
			return done, err
		}
		n, err := syscall.Write(c.fd, p[done:])
		if err == syscall.EINTR {
			continue
		}
		if err == syscall.EAGAIN {
			return done, os.ErrDeadlineExceeded
		}
		if err != nil {
			return done, err
		}
		done += n
	}
	return done, nil
}

// limit gives the next call on the socket what is left until the deadline.
func (c *Conn) limit(option int) error {
	if c.deadline.IsZero() {
		return nil
	}
	left := time.Until(c.deadline)
	if left <= 0 {
		return os.ErrDeadlineExceeded
	}
	// Rounded up to a microsecond, because zero means for ever.
	tv := syscall.NsecToTimeval(int64(left + time.Microsecond))
	return syscall.SetsockoptTimeval(c.fd, syscall.SOL_SOCKET, option, &tv)
}

// Close ends the connection.
func (c *Conn) Close() error { return syscall.Close(c.fd) }

// File hands the connection over as a file, for net.FileConn. c must not be used after that, nor closed.
func (c *Conn) File() (*os.File, error) { return os.NewFile(uintptr(c.fd), "tcred.sock"), nil }

func notListening(path string) error {
	return &api.Error{
		Code: api.NoDaemon, Message: "no daemon listens on " + api.Quote(path), Hint: "start it: tcred daemon", Cause: ErrNotListening,
	}
}

func noDaemon(message string, cause error) error {
	return &api.Error{Code: api.NoDaemon, Message: message, Hint: "tcred doctor", Cause: cause}
}

func tooSlow(path string) error {
	return &api.Error{
		Code: api.Timeout, Message: "the daemon on " + api.Quote(path) + " took no connection in time", Hint: "see tcred logs",
		Cause: os.ErrDeadlineExceeded,
	}
}
