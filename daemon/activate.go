package daemon

import (
	"errors"
	"fmt"
	"net"
	"os"
	"strconv"
)

// firstPassed is the number of the first file that systemd passes.
const firstPassed = 3

// Inherited returns the socket that systemd listens on for this process (socket activation), nil if it passed none.
// The path belongs to systemd: it is neither locked nor removed here, and connections that nobody accepted when the
// daemon ends wait there for the next one. It must be called once, before a child is started: the variables that
// tell of the socket are gone after it, and no child inherits the socket.
func Inherited() (*net.UnixListener, error) {
	pid, count := os.Getenv("LISTEN_PID"), os.Getenv("LISTEN_FDS")
	for _, name := range []string{"LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES"} {
		os.Unsetenv(name) // the name is a good one
	}
	if pid != strconv.Itoa(os.Getpid()) {
		return nil, nil // not meant for us, or none
	}
	n, err := strconv.Atoi(count)
	switch {
	case err != nil || n < 0:
		return nil, fmt.Errorf("systemd passed %q files", count)
	case n == 0:
		return nil, nil
	case n > 1: // none is touched: who says so may be wrong, and they our own
		return nil, fmt.Errorf("systemd passed %d files, not the one socket", n)
	}
	passed := os.NewFile(firstPassed, fmt.Sprintf("passed file %d", firstPassed))
	l, err := listenerOf(passed)
	if err = errors.Join(err, passed.Close()); err != nil { // l has a copy that no child inherits
		return nil, fmt.Errorf("taking over the socket that systemd passed: %w", err)
	}
	return l, nil
}

// listenerOf is the unix stream socket that was passed.
func listenerOf(passed *os.File) (*net.UnixListener, error) {
	if err := checkListening(passed); err != nil {
		return nil, err
	}
	l, err := net.FileListener(passed)
	if err != nil {
		return nil, err
	}
	u, ok := l.(*net.UnixListener)
	if !ok {
		return nil, errors.Join(fmt.Errorf("it is a %s socket, not a unix one", l.Addr().Network()), l.Close())
	}
	u.SetUnlinkOnClose(false)
	return u, nil
}
