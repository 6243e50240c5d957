//go:build unix

package socket

import (
	"errors"
	"os"
	"path"
	"syscall"
	"time"

	"github.com/tcred/tcred/api"
	"github.com/tcred/tcred/internal/human"
)

// How often to look. One process starts the daemon and looks often; those that wait for it may be hundreds, and
// must leave the daemon the processor.
const (
	starterPause   = 2 * time.Millisecond
	waiterPause    = 5 * time.Millisecond // grows to maxWaiterPause
	maxWaiterPause = 40 * time.Millisecond
	restartPause   = 250 * time.Millisecond
)

// DialOrStart connects as [Dial] does, and starts the daemon where nobody listens: "tcred daemon --background",
// the binary beside this program's own, never one from PATH. However many processes call at once, one starts it;
// the others wait. Everything together ends at deadline, which must be set. Errors are *api.Error.
func DialOrStart(address string, deadline time.Time) (*Conn, error) {
	c, err := Dial(address, deadline)
	if !errors.Is(err, ErrNotListening) {
		return c, err
	}
	if err := MakeDir(path.Dir(address)); err != nil {
		return nil, err
	}
	c, unlock, err := dialOrLock(address, deadline)
	if c != nil || err != nil {
		return c, err
	}
	defer unlock() // when the daemon listens: who waits for the lock connects then
	return startAndDial(address, deadline)
}

// dialOrLock waits until somebody listens, and returns the connection, or until the start lock is ours while
// nobody does.
func dialOrLock(address string, deadline time.Time) (*Conn, func(), error) {
	lock := path.Join(path.Dir(address), "start.lock")
	fd, err := syscall.Open(lock, syscall.O_RDWR|syscall.O_CREAT|syscall.O_CLOEXEC|syscall.O_NOFOLLOW, 0o600)
	if err != nil {
		return nil, nil, noDaemon("cannot open "+human.Quote(lock)+": "+reason(err), err)
	}
	unlock := func() { syscall.Close(fd) }
	for pause := waiterPause; ; pause = min(pause*3/2, maxWaiterPause) {
		err := syscall.Flock(fd, syscall.LOCK_EX|syscall.LOCK_NB)
		ours := err == nil
		if !ours && err != syscall.EWOULDBLOCK && err != syscall.EINTR {
			unlock()
			return nil, nil, noDaemon("cannot lock "+human.Quote(lock)+": "+reason(err), err)
		}
		c, err := Dial(address, deadline) // with the lock too: its last holder may just have succeeded
		notYet := errors.Is(err, ErrNotListening)
		switch {
		case ours && notYet:
			return nil, unlock, nil
		case !notYet:
			unlock()
			return c, nil, err
		case !time.Now().Add(pause).Before(deadline):
			unlock()
			return nil, nil, notStarted(address)
		}
		time.Sleep(pause)
	}
}

// startAndDial starts the daemon until one listens. A daemon that ends with status 0 found another one at work
// that does not listen (yet, or any more): after a pause, which lets it begin or end, it is worth another try.
func startAndDial(address string, deadline time.Time) (*Conn, error) {
	for {
		exited, err := start(address)
		if err != nil {
			return nil, err
		}
		c, err := await(address, exited, deadline)
		if c != nil || err != nil {
			return c, err
		}
	}
}

// await waits until somebody listens on path. It returns nil and nil if our daemon ended with status 0 and still
// nobody does.
func await(address string, exited <-chan syscall.WaitStatus, deadline time.Time) (*Conn, error) {
	var restart <-chan time.Time
	for {
		var status syscall.WaitStatus
		ended := false
		select {
		case status = <-exited:
			ended, restart = true, time.After(restartPause)
		case <-restart:
			return nil, nil
		case <-time.After(starterPause):
		}
		c, err := Dial(address, deadline)
		switch {
		case !errors.Is(err, ErrNotListening):
			return c, err
		case ended && status != 0:
			return nil, endedEarly(status)
		case !time.Now().Before(deadline):
			return nil, notStarted(address)
		}
	}
}

// start runs the daemon apart from us: no standard files (a tool that reads our output to its end must not
// wait for the daemon), no other inherited file, its own session, and only the environment it needs.
// Its exit status arrives in the channel, so that no zombie is left in a program that lives on.
func start(address string) (<-chan syscall.WaitStatus, error) {
	binary, err := daemonBinary()
	if err != nil {
		return nil, err
	}
	null, err := os.OpenFile(os.DevNull, os.O_RDWR, 0)
	if err != nil {
		return nil, noDaemon("cannot start the daemon: "+err.Error(), err)
	}
	defer null.Close()
	defer withholdFiles()()
	// The umask is the whole process's: for this moment others' new files are closed to group and others too.
	umask := syscall.Umask(0o077)
	pid, err := syscall.ForkExec(binary, []string{binary, "daemon", "--background"}, &syscall.ProcAttr{
		Dir: "/", Env: environ(address), Files: []uintptr{null.Fd(), null.Fd(), null.Fd()},
		Sys: &syscall.SysProcAttr{Setsid: true},
	})
	syscall.Umask(umask)
	if err != nil {
		return nil, noDaemon("cannot start "+human.Quote(binary)+": "+reason(err), err)
	}
	exited := make(chan syscall.WaitStatus, 1)
	go func() { exited <- wait(pid) }()
	return exited, nil
}

func wait(pid int) (status syscall.WaitStatus) {
	for {
		if _, err := syscall.Wait4(pid, &status, 0, nil); err != syscall.EINTR {
			return status
		}
	}
}

// daemonBinary is tcred beside this program, links to the program followed.
func daemonBinary() (string, error) {
	self, err := os.Executable()
	if err != nil {
		return "", noDaemon("cannot start the daemon: "+err.Error(), err)
	}
	for range 40 { // as many links as the system follows
		target, err := os.Readlink(self)
		if err != nil {
			break
		}
		if !path.IsAbs(target) {
			target = path.Join(path.Dir(self), target)
		}
		self = target
	}
	binary := path.Join(path.Dir(self), "tcred")
	if _, err := os.Stat(binary); err != nil {
		return "", &api.Error{
			Code: api.NoDaemon, Message: "cannot start the daemon: no " + human.Quote(binary) + " beside this program",
			Hint: "start it yourself: tcred daemon", Cause: err,
		}
	}
	return binary, nil
}

// environ is the daemon's environment: what it needs to find its files and the keychain, and nothing that could
// hold a caller's keys or proxy. It listens at path even if it would find another.
func environ(address string) []string {
	env := []string{api.EnvSocket + "=" + address}
	for _, kv := range os.Environ() {
		if allowed(kv) && !hasPrefix(kv, api.EnvSocket+"=") {
			env = append(env, kv)
		}
	}
	return env
}

func allowed(kv string) bool {
	for _, prefix := range []string{"HOME=", "USER=", "PATH=", "LANG=", "XDG_", "DBUS_", "TCRED_"} {
		if hasPrefix(kv, prefix) {
			return true
		}
	}
	return false
}

func hasPrefix(s, prefix string) bool { return len(s) >= len(prefix) && s[:len(prefix)] == prefix }

// withholdFiles keeps the daemon from inheriting files that our parent left open in us: a make job server, a shell's
// "3>&1". Go's own are withheld already. What it returns undoes it: tcred exec hands those files to its command.
func withholdFiles() (undo func()) {
	var withheld []uintptr
	undo = func() {
		for _, fd := range withheld {
			fcntl(fd, syscall.F_SETFD, 0)
		}
	}
	dir, err := os.Open("/dev/fd")
	if err != nil {
		return undo
	}
	defer dir.Close()
	names, _ := dir.Readdirnames(-1)
	for _, name := range names {
		fd := uintptr(0)
		for i := 0; i < len(name); i++ {
			fd = fd*10 + uintptr(name[i]-'0')
		}
		if fd <= 2 {
			continue
		}
		if flags, ok := fcntl(fd, syscall.F_GETFD, 0); ok && flags&syscall.FD_CLOEXEC == 0 {
			fcntl(fd, syscall.F_SETFD, syscall.FD_CLOEXEC)
			withheld = append(withheld, fd)
		}
	}
	return undo
}

func fcntl(fd, command, arg uintptr) (value uintptr, ok bool) {
	value, _, errno := syscall.Syscall(syscall.SYS_FCNTL, fd, command, arg)
	return value, errno == 0
}

func endedEarly(status syscall.WaitStatus) error {
	how := "exit status " + human.Itoa(max(status.ExitStatus(), 0), 10)
	if status.Signaled() {
		how = "signal: " + status.Signal().String()
	}
	return &api.Error{
		Code: api.NoDaemon, Message: "the daemon ended as soon as it was started (" + how + ")",
		Hint: "see tcred logs, or run it in the foreground: tcred daemon",
	}
}

func notStarted(address string) error {
	return &api.Error{
		Code: api.NoDaemon, Message: "no daemon came to listen on " + human.Quote(address) + " in time",
		Hint: "see tcred logs, or run it in the foreground: tcred daemon", Cause: os.ErrDeadlineExceeded,
	}
}
