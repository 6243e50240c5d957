//go:build unix

package socket

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path"
	"syscall"
	"time"

	"github.com/tcred/tcred/api"
	"github.com/tcred/tcred/internal/human"
)

// ErrNotListening is in the error of [Dial] when there is no socket, or one that nobody serves.
var ErrNotListening = errors.New("nobody listens")

// Conn is a connection to the daemon. It blocks in the system call itself, with the deadline as the socket's own time
// limit: to start a poller would make the helper's run about 1 % longer. Not for concurrent use.
type Conn struct {
	fd       int
	server   int
	deadline time.Time
}

// Server is the process that listens on the other end: the daemon, or systemd, where that made the socket. It was so
// when the connection was made.
func (c *Conn) Server() int { return c.server }

// Dial connects to the daemon at address and bounds the connection by deadline (the zero time: no bound).
// It trusts neither a directory that fails [CheckDir] nor a server of another uid. Errors are *api.Error.
func Dial(address string, deadline time.Time) (*Conn, error) {
	if err := CheckLength(address); err != nil {
		return nil, err
	}
	err := CheckDir(path.Dir(address))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, notListening(address)
	}
	if err != nil {
		return nil, err
	}
	fd, err := newSocket()
	if err != nil {
		return nil, noDaemon("cannot make a socket: "+reason(err), err)
	}
	c := &Conn{fd: fd, deadline: deadline}
	if err := c.connect(address); err != nil {
		c.Close()
		return nil, err
	}
	if err := c.checkServer(address, os.Geteuid()); err != nil {
		c.Close()
		return nil, err
	}
	return c, nil
}

func (c *Conn) connect(address string) error {
	for {
		if err := c.limit(syscall.SO_SNDTIMEO); err != nil {
			return tooSlow(address)
		}
		switch err := syscall.Connect(c.fd, &syscall.SockaddrUnix{Name: address}); err {
		case nil, syscall.EISCONN:
			return nil
		case syscall.EINTR:
		case syscall.EAGAIN: // the queue of connections stayed full
			return tooSlow(address)
		case syscall.ENOENT:
			return notListening(address)
		case syscall.ECONNREFUSED:
			return refused(address)
		default:
			return noDaemon("cannot connect to "+human.Quote(address)+": "+reason(err), err)
		}
	}
}

// refused tells a socket that nobody serves from something else in its place, which no daemon would replace.
func refused(address string) error {
	info, err := os.Lstat(address)
	if err == nil && info.Mode()&(fs.ModeSocket|fs.ModeSymlink) == 0 {
		return &api.Error{
			Code: api.Internal, Message: human.Quote(address) + " is in the way: it is not a socket", Hint: "move it away",
		}
	}
	return notListening(address)
}

// checkServer refuses a server that runs under another uid than ours: it would learn what we ask, and hand us
// credentials of its own choice.
func (c *Conn) checkServer(address string, ours int) error {
	uid, pid, err := PeerOf(c.fd)
	if err != nil {
		return noDaemon("cannot tell who listens on "+human.Quote(address)+": "+reason(err), err)
	}
	if uid != ours {
		return &api.Error{
			Code: api.Forbidden,
			Message: "the server on " + human.Quote(address) + " runs as uid " + human.Itoa(uid, 10) +
				", not as you (uid " + human.Itoa(ours, 10) + ")",
			Hint: "it was asked nothing; stop it, or set " + api.EnvSocket + " to another path",
		}
	}
	c.server = pid
	return nil
}

// SetDeadline moves the time when reads and writes give up.
func (c *Conn) SetDeadline(deadline time.Time) { c.deadline = deadline }

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

func notListening(address string) error {
	return &api.Error{
		Code: api.NoDaemon, Message: "no daemon listens on " + human.Quote(address), Hint: "start it: tcred daemon",
		Cause: ErrNotListening,
	}
}

func noDaemon(message string, cause error) error {
	return &api.Error{Code: api.NoDaemon, Message: message, Hint: "tcred doctor", Cause: cause}
}

func tooSlow(address string) error {
	return &api.Error{
		Code: api.Timeout, Message: "the daemon on " + human.Quote(address) + " took no connection in time",
		Hint: "see tcred logs", Cause: os.ErrDeadlineExceeded,
	}
}
