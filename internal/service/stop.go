package service

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"github.com/tcred/tcred/api"
	"github.com/tcred/tcred/client"
	"github.com/tcred/tcred/internal/place"
	"github.com/tcred/tcred/internal/socket"
)

// How long a daemon may take to end once it was asked to, until its callers have their answers and some more; and once
// it was sent a signal.
const (
	stopTimeout = api.AnswerTimeout + 3*time.Second
	endTimeout  = 2 * time.Second
)

// Stop is how StopDaemon ended.
type Stop struct {
	PID    int  // of the daemon; 0 where none ran
	Killed bool // it did not end by itself
}

// StopDaemon asks the daemon to stop, by a client that starts none, and waits until its process is gone. A daemon that
// does not answer, or does not end, is ended by signals: the process that listens on the socket, under our uid and our
// own name, and no other that may have its number by then.
func StopDaemon(ctx context.Context, c *client.Client) (Stop, error) {
	asking, cancel := context.WithTimeout(ctx, api.ClientTimeout)
	defer cancel()
	if systemdWaits(asking) {
		return Stop{}, nil
	}
	listener, err := listening(asking)
	if errors.Is(err, socket.ErrNotListening) {
		return Stop{}, nil
	}
	if err != nil {
		return Stop{}, err
	}
	defer listener.Release()
	running := listener
	if st, err := c.Status(asking); err == nil && st.PID != listener.Pid {
		if running, err = os.FindProcess(st.PID); err != nil {
			return Stop{}, fmt.Errorf("finding the daemon's process: %w", err)
		}
		defer running.Release()
	} // a daemon that cannot say how it is can be asked all the same
	err = c.Stop(asking)
	switch {
	case errors.Is(err, socket.ErrNotListening):
		return Stop{}, nil
	case err == nil && ended(ctx, running, stopTimeout):
		return Stop{PID: running.Pid}, nil
	case ctx.Err() != nil:
		return Stop{}, ctx.Err()
	case err != nil && api.CodeOf(err) != api.Timeout:
		return Stop{}, err
	}
	if running != listener || !isTcred(listener.Pid) { // systemd made the socket: it knows the daemon's process
		return Stop{}, &api.Error{
			Code: api.Timeout, Message: fmt.Sprintf("the daemon does not stop, and process %d, which made its socket, is not it", listener.Pid),
			Hint: "tcred service restart",
		}
	}
	return Stop{PID: listener.Pid, Killed: true}, end(ctx, listener)
}

// listening is the process that listens on our socket. It was found there before its handle was taken and after: so the
// handle is that process's, and stays so when the number goes to another.
func listening(ctx context.Context) (*os.Process, error) {
	path, err := place.Socket()
	if err != nil {
		return nil, err
	}
	pid, err := server(ctx, path)
	if err != nil {
		return nil, err
	}
	process, err := os.FindProcess(pid)
	if err != nil {
		return nil, fmt.Errorf("finding the daemon's process: %w", err)
	}
	again, err := server(ctx, path)
	if err == nil && again != pid {
		err = &api.Error{Code: api.Timeout, Message: "another daemon came to listen just now", Hint: "tcred daemon stop"}
	}
	if err != nil {
		process.Release()
		return nil, err
	}
	return process, nil
}

// server is the number of the process that listens at path: our own uid's, or it is an error.
func server(ctx context.Context, path string) (pid int, err error) {
	deadline, _ := ctx.Deadline()
	c, err := socket.Dial(path, deadline)
	if err != nil {
		return 0, err
	}
	defer c.Close()
	return c.Server(), nil
}

// isTcred reports whether a process goes by this program's name.
func isTcred(pid int) bool {
	self, err := os.Executable()
	if err != nil {
		return false
	}
	name := filepath.Base(self)
	return socket.NameOf(pid) == name[:min(len(name), 15)] // the system keeps no more of it
}

// end ends a process by signals. The one that can be refused comes first.
func end(ctx context.Context, p *os.Process) error {
	for _, sig := range []os.Signal{syscall.SIGTERM, os.Kill} {
		if err := p.Signal(sig); err != nil && !errors.Is(err, os.ErrProcessDone) {
			return fmt.Errorf("ending the daemon, process %d: %w", p.Pid, err)
		}
		if ended(ctx, p, endTimeout) {
			return nil
		}
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	return &api.Error{
		Code: api.Timeout, Message: fmt.Sprintf("the daemon, process %d, was killed and is still there", p.Pid),
		Hint: "it waits for a disk or a network file system that does not answer",
	}
}

// ended waits until a process is gone, and reports whether it is.
func ended(ctx context.Context, p *os.Process, limit time.Duration) bool {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	for p.Signal(syscall.Signal(0)) == nil && alive(p.Pid) { // the second tells of one that ended and was not waited for
		select {
		case <-ctx.Done():
			return false
		case <-time.After(10 * time.Millisecond):
		}
	}
	return true
}
