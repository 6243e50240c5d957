//go:build unix

package socket

import (
	"errors"
	"os"
	"syscall"
	"time"

	"github.com/tcred/tcred/api"
)

// readyFile is the number of the pipe on which the daemon says that it listens.
const readyFile = 3

// Detach is the work of "tcred daemon --background", in a process of its own, which [DialOrStart] starts and waits for:
// it runs this program once more, with args, and leaves it behind as nobody's child. That one is the daemon. It has
// nothing of who asked for it but the environment: no file, no umask, no session, no directory.
//
// Detach returns nil once the daemon called [Ready], or ended with status 0: it gave way to another. An error,
// *api.Error, says that it could not be started, or did neither until deadline, or ended; then status is its exit
// status, 1 if a signal ended it, else 0.
func Detach(args []string, deadline time.Time) (status int, err error) {
	syscall.Umask(0o077)
	syscall.Setsid() // fails where a shell made this process the leader of a group: the daemon gets its own all the same
	closeInherited()
	daemon, listens, err := startDetached(args)
	if err != nil {
		return 0, noDaemon("cannot start the daemon: "+err.Error(), err)
	}
	defer listens.Close()
	if err := listens.SetReadDeadline(deadline); err != nil {
		return 0, noDaemon("cannot wait for the daemon: "+err.Error(), err)
	}
	n, err := listens.Read(make([]byte, 1))
	switch {
	case n == 1:
		return 0, nil
	case errors.Is(err, os.ErrDeadlineExceeded):
		return 0, &api.Error{
			Code: api.NoDaemon, Message: "the daemon was started, but does not listen in time", Hint: "see tcred logs",
			Cause: err,
		}
	}
	ended, err := daemon.Wait() // it holds the pipe's other end until it is ready or ends
	if err != nil {
		return 0, noDaemon("cannot tell how the daemon ended: "+err.Error(), err)
	}
	if ended.Success() {
		return 0, nil
	}
	return max(ended.ExitCode(), 1), endedEarly(ended.String())
}

// startDetached runs this program with args in a session of its own, and returns what it will write to when it is
// ready.
func startDetached(args []string) (daemon *os.Process, listens *os.File, err error) {
	self, err := os.Executable()
	if err != nil {
		return nil, nil, err
	}
	null, err := os.OpenFile(os.DevNull, os.O_RDWR, 0)
	if err != nil {
		return nil, nil, err
	}
	defer null.Close()
	listens, ready, err := os.Pipe()
	if err != nil {
		return nil, nil, err
	}
	defer ready.Close()
	daemon, err = os.StartProcess(self, append([]string{self}, args...), &os.ProcAttr{
		Dir: "/", Files: []*os.File{null, null, null, readyFile: ready}, Sys: &syscall.SysProcAttr{Setsid: true},
	})
	if err != nil {
		listens.Close()
		return nil, nil, err
	}
	return daemon, listens, nil
}

// Ready tells [Detach], in the process that waits for this one, that this one listens. It does nothing in a process
// that Detach did not start.
func Ready() {
	var info syscall.Stat_t
	if syscall.Fstat(readyFile, &info) != nil || info.Mode&syscall.S_IFMT != syscall.S_IFIFO {
		return
	}
	syscall.Write(readyFile, []byte{'\n'}) // who waited may have given up
	syscall.Close(readyFile)
}

// closeInherited closes the files that the caller left open in this process: a tool's pipe, a make job server, a
// shell's "3>&1". Go's own are told apart: they are all closed on exec.
func closeInherited() {
	dir, err := os.Open("/dev/fd")
	if err != nil {
		return
	}
	defer dir.Close()
	names, _ := dir.Readdirnames(-1)
	for _, name := range names {
		fd := 0
		for i := 0; i < len(name); i++ {
			fd = fd*10 + int(name[i]-'0')
		}
		if fd > 2 && inherited(fd) {
			syscall.Close(fd)
		}
	}
}

func inherited(fd int) bool {
	flags, _, errno := syscall.Syscall(syscall.SYS_FCNTL, uintptr(fd), syscall.F_GETFD, 0)
	return errno == 0 && flags&syscall.FD_CLOEXEC == 0
}
