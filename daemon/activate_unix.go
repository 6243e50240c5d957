//go:build unix

package daemon

import (
	"errors"
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// checkListening refuses a file on which nobody could be accepted.
func checkListening(f *os.File) error {
	raw, err := f.SyscallConn()
	if err != nil {
		return err
	}
	var kind, listening int
	var failed error
	err = raw.Control(func(fd uintptr) {
		unix.CloseOnExec(int(fd))
		if kind, failed = unix.GetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_TYPE); failed == nil {
			listening, failed = unix.GetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_ACCEPTCONN)
		}
	})
	switch {
	case err != nil || failed != nil:
		return fmt.Errorf("%s is not a socket: %w", f.Name(), errors.Join(err, failed))
	case kind != unix.SOCK_STREAM || listening == 0:
		return fmt.Errorf("%s is not a stream socket that listens", f.Name())
	}
	return nil
}
