package daemon

import (
	"errors"
	"net"
	"os"
	"sync/atomic"
	"time"
)

// ErrAgain is what Serve returns when the process is to execute itself anew, by [Endpoint.Again]: only that takes what
// a lock forgets out of its memory.
var ErrAgain = errors.New("the daemon is to execute itself anew")

// againGrace is what requests under way may take before the process executes itself anew. Callers that come meanwhile
// wait in the socket's queue. Those that are cut off ask once more, and still have time for it.
const againGrace = 4 * time.Second

// envHanded tells the process that was executed anew which of its files are the socket and the lock.
const envHanded = "TCRED_HANDED"

// handed is the value of envHanded.
type handed struct {
	PID       int       `json:"pid"`    // of the process that it is meant for
	Socket    int       `json:"socket"` // the number of a file
	Lock      int       `json:"lock"`   // the number of a file, 0 if no lock is held
	Activated bool      `json:"activated"`
	Inode     uint64    `json:"inode"` // of the socket's path, with Changed; not for an activated one
	Changed   time.Time `json:"changed"`
}

// holding is a listener that can stop accepting and stay open: callers wait in its queue for whoever accepts next.
type holding struct {
	net.Listener
	held atomic.Bool
}

var errHeld = errors.New("no caller is accepted until the process has executed itself anew")

func (h *holding) Accept() (net.Conn, error) {
	c, err := h.Listener.Accept()
	if err != nil && h.held.Load() {
		return nil, errHeld // an error for good: after one that passes, http.Server would try again
	}
	return c, err
}

// Close does nothing once the listener is held.
func (h *holding) Close() error {
	if h.held.Load() {
		return nil
	}
	return h.Listener.Close()
}

// hold ends Accept. A listener that cannot be held is closed.
func (h *holding) hold() error {
	l, can := h.Listener.(interface{ SetDeadline(time.Time) error })
	if !can {
		return errors.Join(errors.ErrUnsupported, h.Listener.Close())
	}
	h.held.Store(true)
	return l.SetDeadline(time.Unix(1, 0))
}

// ownExecutable is the path at which this very program can be executed: /proc/self/exe where its own file is gone or
// was replaced, as after an upgrade.
func ownExecutable() (string, error) {
	const running = "/proc/self/exe"
	path, err := os.Executable()
	open, unknown := os.Stat(running)
	if unknown != nil { // not on Linux
		return path, err
	}
	if info, missing := os.Stat(path); err == nil && missing == nil && os.SameFile(info, open) {
		return path, nil
	}
	return running, nil
}
