package daemon

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"time"

	"github.com/gofrs/flock"

	"github.com/tcred/tcred/api"
	"github.com/tcred/tcred/internal/disk"
	"github.com/tcred/tcred/internal/socket"
)

// ErrRunning says that another daemon listens on the socket already.
var ErrRunning = errors.New("a daemon already listens on this socket")

// Listener is the daemon's unix socket, and the lock that makes it the only one.
type Listener struct {
	*net.UnixListener
	path string
	own  os.FileInfo
	lock *flock.Flock // not held where the file system has no locks
	// handedLock is the lock in place of lock, after the process executed itself anew. It is nil where none was held.
	handedLock *os.File

	closing sync.Once
	closed  chan struct{}
}

// Listen makes the socket at path, 0600 in a directory of ours. What a dead daemon left there goes first, under
// the lock that a living one holds; ErrRunning if it lives. On a file system without locks it goes by whether somebody
// answers: of two daemons that start at once there the last stays, for the other one's Watch ends it.
func Listen(path string) (*Listener, error) {
	dir := filepath.Dir(path)
	if err := checkParent(dir); err != nil {
		return nil, err
	}
	if err := socket.MakeDir(dir); err != nil {
		return nil, err
	}
	lock, err := lockBeside(path)
	if err != nil {
		return nil, err
	}
	l, err := listen(path)
	if err != nil {
		return nil, errors.Join(err, lock.Close())
	}
	l.lock = lock
	return l, nil
}

// checkParent refuses a directory that another user could move away and put a link in its place: one in a directory of
// theirs. What of it is not there yet will be ours.
func checkParent(dir string) error {
	parent := filepath.Dir(dir)
	info, err := os.Stat(parent)
	for errors.Is(err, fs.ErrNotExist) && parent != filepath.Dir(parent) {
		parent = filepath.Dir(parent)
		info, err = os.Stat(parent)
	}
	if err != nil {
		return fmt.Errorf("looking at the place for the socket: %w", err)
	}
	if who := disk.Stranger(info); who != "" {
		return &api.Error{
			Code:    api.Forbidden,
			Message: fmt.Sprintf("the socket's directory %s is in %s, which belongs to %s", dir, parent, who),
			Hint:    "set " + api.EnvSocket + " to a path in a directory of your own, 0700, in one of yours or root's",
		}
	}
	return nil
}

func listen(path string) (*Listener, error) {
	if info, err := os.Lstat(path); err == nil && info.Mode()&os.ModeSocket == 0 {
		return nil, &api.Error{Code: api.Internal, Message: path + " is in the way: it is not a socket", Hint: "move it away"}
	}
	if c, err := net.Dial("unix", path); err == nil { // not one of ours, or one that lost its lock: not stale
		return nil, errors.Join(fmt.Errorf("%s: %w", path, ErrRunning), c.Close())
	}
	if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("removing a stale socket: %w", err)
	}
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
	if errors.Is(err, syscall.EADDRINUSE) { // made since, by one that no lock kept away
		return nil, fmt.Errorf("%s: %w", path, ErrRunning)
	}
	if err != nil {
		return nil, fmt.Errorf("listening on %s: %w", path, err)
	}
	l.SetUnlinkOnClose(false) // by then the path may be another's
	if err := os.Chmod(path, 0o600); err != nil {
		return nil, errors.Join(err, l.Close())
	}
	own, err := os.Lstat(path)
	if err != nil {
		return nil, errors.Join(err, l.Close())
	}
	return &Listener{UnixListener: l, path: path, own: own, closed: make(chan struct{})}, nil
}

// watchEvery is the time between two looks at the socket's path.
var watchEvery = 2 * time.Second

// Watch calls gone once the path no longer leads to this socket: then nobody can reach it, and another daemon may
// have taken its place.
func (l *Listener) Watch(ctx context.Context, gone func()) {
	tick := time.NewTicker(watchEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-l.closed:
			return
		case <-tick.C:
			if !l.ours() {
				gone()
				return
			}
		}
	}
}

func (l *Listener) ours() bool {
	info, err := os.Lstat(l.path)
	return err == nil && os.SameFile(info, l.own) && info.ModTime().Equal(l.own.ModTime()) // inodes are used again
}

// Close stops accepting, removes the socket, if it is still this one, and lets the next daemon in: it need not wait for
// the answers that this one still owes. Closing again does nothing.
func (l *Listener) Close() (err error) {
	l.closing.Do(func() {
		close(l.closed)
		err = l.UnixListener.Close()
		if l.ours() {
			err = errors.Join(err, os.Remove(l.path))
		}
		err = errors.Join(err, l.unlock())
	})
	return err
}

func (l *Listener) unlock() error {
	switch {
	case l.lock != nil:
		return l.lock.Close()
	case l.handedLock != nil:
		return l.handedLock.Close()
	}
	return nil
}
