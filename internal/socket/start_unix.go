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

// How often to look. Those that wait for a daemon may be hundreds, and must leave it the processor.
const (
	waiterPause    = 5 * time.Millisecond // grows to maxWaiterPause
	maxWaiterPause = 40 * time.Millisecond
	starterPause   = 2 * time.Millisecond
	restartPause   = 250 * time.Millisecond
)

// DialOrStart connects as [Dial] does, and starts the daemon where nobody listens: "BINARY daemon --background",
// which detaches itself (see [Detach]). An empty binary is the one that [Beside] names; never is one from PATH
// started. However many processes call at once, one starts the daemon; the others wait. Everything together ends at
// deadline, which must be set. Umask and files of this process stay as they are, and once it is connected it has no
// child of this. Errors are *api.Error.
func DialOrStart(address, binary string, deadline time.Time) (*Conn, error) {
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
	return startAndDial(address, binary, deadline)
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
		// Some clusters' homes have no locks. Daemons that several callers start then give way to each other.
		lockless := err == syscall.ENOLCK || err == syscall.ENOSYS || err == syscall.EOPNOTSUPP
		ours := err == nil || lockless
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

// startAndDial starts the daemon until one listens. What starts it ends with status 0 once it listens, or gave way to
// another one that does not listen (yet, or any more): after a pause, which lets that one begin or end, it is worth
// another try.
func startAndDial(address, binary string, deadline time.Time) (*Conn, error) {
	for {
		ended, err := start(address, binary)
		if err != nil {
			return nil, err
		}
		select {
		case status := <-ended:
			c, err := dialSoon(address, status, deadline)
			if c != nil || err != nil {
				return c, err
			}
		case <-time.After(time.Until(deadline)):
			return nil, notStarted(address)
		}
	}
}

// dialSoon connects to the daemon whose start ended with status. It returns nil and nil if that was 0 and nobody
// listens within restartPause.
func dialSoon(address string, status syscall.WaitStatus, deadline time.Time) (*Conn, error) {
	for restart := time.Now().Add(restartPause); ; time.Sleep(starterPause) {
		c, err := Dial(address, deadline)
		switch now := time.Now(); {
		case !errors.Is(err, ErrNotListening):
			return c, err
		case status != 0:
			return nil, endedEarly(text(status))
		case !now.Before(deadline):
			return nil, notStarted(address)
		case now.After(restart):
			return nil, nil
		}
	}
}

// start runs what starts the daemon and detaches it: with no standard files (a tool that reads our output to its end
// must not wait for it) and only the environment that the daemon needs. Its exit status arrives in the channel, so that
// no zombie is left in a program that lives on.
func start(address, binary string) (<-chan syscall.WaitStatus, error) {
	binary, err := find(binary)
	if err != nil {
		return nil, err
	}
	null, err := os.OpenFile(os.DevNull, os.O_RDWR, 0)
	if err != nil {
		return nil, noDaemon("cannot start the daemon: "+err.Error(), err)
	}
	defer null.Close()
	pid, err := syscall.ForkExec(binary, []string{binary, "daemon", "--background"}, &syscall.ProcAttr{
		Dir: "/", Env: environ(address), Files: []uintptr{null.Fd(), null.Fd(), null.Fd()},
	})
	if err != nil {
		return nil, noDaemon("cannot start "+human.Quote(binary)+": "+reason(err), err)
	}
	ended := make(chan syscall.WaitStatus, 1)
	go func() { ended <- wait(pid) }()
	return ended, nil
}

// wait is the status of a child that ended; 0 if somebody else in this process was told it first.
func wait(pid int) (status syscall.WaitStatus) {
	for {
		if _, err := syscall.Wait4(pid, &status, 0, nil); err != syscall.EINTR {
			return status
		}
	}
}

// find is the path of the program to start.
func find(binary string) (string, error) {
	what := ""
	if binary == "" {
		var err error
		if binary, err = BinaryBeside(); err != nil {
			return "", err
		}
		what = " beside this program"
	}
	if _, err := os.Stat(binary); err != nil {
		return "", &api.Error{
			Code: api.NoDaemon, Message: "cannot start the daemon: no " + human.Quote(binary) + what,
			Hint: "start it yourself: tcred daemon", Cause: err,
		}
	}
	return binary, nil
}

// BinaryBeside is the path of tcred beside this program's own file, links to the program followed. There may be none.
func BinaryBeside() (string, error) {
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
	return path.Join(path.Dir(self), "tcred"), nil
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

// text says how a process ended, as package os does.
func text(status syscall.WaitStatus) string {
	if status.Signaled() {
		return "signal: " + status.Signal().String()
	}
	return "exit status " + human.Itoa(max(status.ExitStatus(), 0), 10)
}

func endedEarly(how string) error {
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
