//go:build unix

package daemon

import (
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"runtime"
	"strconv"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/tcred/tcred/api"
)

// Again executes this program anew in this process, with the same arguments and environment, and hands it the socket,
// the lock beside it and what systemd wants to hear. The process id stays, and no caller is lost: until the new program
// accepts them, they wait in the socket's queue. Again returns only if that fails.
func (at Endpoint) Again(n *Notifier) error {
	path, err := ownExecutable()
	if err != nil {
		return fmt.Errorf("finding tcred's own binary: %w", err)
	}
	h, err := at.hand()
	if err != nil {
		return fmt.Errorf("handing the socket on: %w", err)
	}
	value, err := json.Marshal(h)
	if err != nil {
		return fmt.Errorf("handing the socket on: %w", err)
	}
	env := append(os.Environ(), envHanded+"="+string(value))
	env = append(env, n.environ()...)
	err = executeWith([]int{h.Socket, h.Lock}, path, env)
	runtime.KeepAlive(at)
	return fmt.Errorf("executing %s anew: %w", path, err)
}

// executeWith leaves the files open for the program; 0 is none. No child is started meanwhile: it would have them too.
func executeWith(files []int, path string, env []string) error {
	syscall.ForkLock.Lock()
	defer syscall.ForkLock.Unlock()
	for _, fd := range files {
		if fd == 0 {
			continue
		}
		if _, err := unix.FcntlInt(uintptr(fd), unix.F_SETFD, 0); err != nil {
			return err
		}
		defer unix.CloseOnExec(fd)
	}
	return unix.Exec(path, os.Args, env)
}

// hand finds the numbers of the files to hand on.
func (at Endpoint) hand() (handed, error) {
	h := handed{PID: os.Getpid()}
	var err error
	switch l := at.Listener.(type) {
	case *net.UnixListener:
		h.Activated = true
		h.Socket, err = numberOf(l)
	case *Listener:
		h.Inode, h.Changed = inode(l.own), l.own.ModTime()
		if h.Socket, err = numberOf(l.UnixListener); err == nil {
			h.Lock, err = l.lockNumber()
		}
	default:
		err = fmt.Errorf("a %T cannot be", l)
	}
	return h, err
}

func numberOf(l *net.UnixListener) (number int, err error) {
	raw, err := l.SyscallConn()
	if err != nil {
		return 0, err
	}
	err = raw.Control(func(fd uintptr) { number = int(fd) })
	return number, err
}

// lockNumber looks for the open file that is the lock; package flock does not tell. It is 0 where none is held.
func (l *Listener) lockNumber() (int, error) {
	if l.handedLock != nil {
		return int(l.handedLock.Fd()), nil
	}
	if !l.lock.Locked() {
		return 0, nil
	}
	want, err := l.lock.Stat()
	if err != nil {
		return 0, err
	}
	dir, err := os.Open("/dev/fd")
	if err != nil {
		return 0, err
	}
	defer dir.Close()
	names, err := dir.Readdirnames(-1)
	for _, name := range names {
		fd, _ := strconv.Atoi(name)
		var info unix.Stat_t
		if fd > 2 && unix.Fstat(fd, &info) == nil && uint64(info.Ino) == inode(want) &&
			uint64(info.Dev) == device(want) {
			return fd, nil
		}
	}
	return 0, errors.Join(errors.New("the lock is not among the open files"), err)
}

func inode(info os.FileInfo) uint64 {
	stat, _ := info.Sys().(*syscall.Stat_t)
	return uint64(stat.Ino)
}

func device(info os.FileInfo) uint64 {
	stat, _ := info.Sys().(*syscall.Stat_t)
	return uint64(stat.Dev)
}

// resume is the endpoint that this process had before it executed itself anew, whose socket is at path; it has no
// listener if it did not. Of a socket that systemd did not pass it is a Listener, to be watched.
func resume(path string) (Endpoint, *Listener, error) {
	value := os.Getenv(envHanded)
	os.Unsetenv(envHanded) // the name is a good one
	var h handed
	if json.Unmarshal([]byte(value), &h) != nil || h.PID != os.Getpid() || h.Socket < firstPassed {
		return Endpoint{}, nil, nil // none, or not meant for us
	}
	reap()
	passed := os.NewFile(uintptr(h.Socket), "the socket")
	socket, err := listenerOf(passed)
	if err = errors.Join(err, passed.Close()); err != nil {
		return Endpoint{}, nil, fmt.Errorf("taking over the socket from before the lock: %w", err)
	}
	if h.Activated {
		return Endpoint{Listener: socket, Path: socket.Addr().String(), Service: true, Resumed: true}, nil, nil
	}
	l := &Listener{UnixListener: socket, path: path, closed: make(chan struct{})}
	if h.Lock >= firstPassed {
		unix.CloseOnExec(h.Lock)
		l.handedLock = os.NewFile(uintptr(h.Lock), path+".lock") // without a holder the collector would close it
	}
	l.own, err = os.Lstat(path)
	if err != nil || inode(l.own) != h.Inode || !l.own.ModTime().Equal(h.Changed) {
		return Endpoint{}, nil, errors.Join(&api.Error{
			Code: api.NoDaemon, Message: "the socket " + path + " was removed or replaced", Hint: "try again", Cause: err,
		}, socket.Close())
	}
	return Endpoint{Listener: l, Path: path, Resumed: true}, l, nil
}

// reap waits for the children that the program had before it executed itself anew: keychain children, which end when
// their pipe does. Nothing was started since, so all children are those.
func reap() {
	for deadline := time.Now().Add(time.Second); time.Now().Before(deadline); {
		pid, err := unix.Wait4(-1, nil, unix.WNOHANG, nil)
		if err != nil && !errors.Is(err, unix.EINTR) {
			return // none is left
		}
		if pid == 0 {
			time.Sleep(5 * time.Millisecond)
		}
	}
}
