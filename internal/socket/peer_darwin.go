package socket

import (
	"syscall"

	"golang.org/x/sys/unix"
)

func newSocket() (int, error) {
	syscall.ForkLock.RLock() // no fork may come between, and inherit the socket
	defer syscall.ForkLock.RUnlock()
	fd, err := syscall.Socket(syscall.AF_UNIX, syscall.SOCK_STREAM, 0)
	if err == nil {
		syscall.CloseOnExec(fd)
	}
	return fd, err
}

// peerUID is the uid that listened on the other end.
func peerUID(fd int) (int, error) {
	cred, err := unix.GetsockoptXucred(fd, unix.SOL_LOCAL, unix.LOCAL_PEERCRED)
	if err != nil {
		return 0, err
	}
	return int(cred.Uid), nil
}
