package keystore

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strings"

	"github.com/godbus/dbus/v5"
	"golang.org/x/sys/unix"
)

// busVariable names the session bus; godbus, and so go-keyring, reads it.
const busVariable = "DBUS_SESSION_BUS_ADDRESS"

// strangerError says that a bus is not known to be this user's.
type strangerError struct{ reason string }

func (e *strangerError) Error() string { return e.reason }

// pinBus makes busVariable, of this process only, lead to the session bus of this user and to nothing else. A key that
// is told to another user's bus is that user's, so only a socket whose server has our uid will do, and the check is of
// the very socket that is dialled later: its inode is held open and reached through /proc, whatever comes to its path
// in between. An abstract name or a TCP port cannot be held.
func pinBus() error {
	address := os.Getenv(busVariable)
	if address == "" || address == "autolaunch:" {
		path, fd, err := findOwnBus()
		if err != nil {
			return err
		}
		if path == "" {
			return fmt.Errorf("%s is not set, and there is none in %s", busVariable, usualBuses()[0])
		}
		return useBus(fd)
	}
	path, err := busPath(address)
	if err != nil {
		return &strangerError{fmt.Sprintf("%s is not of the form unix:path=FILE: %v", busVariable, err)}
	}
	fd, err := holdBus(path)
	if err != nil {
		return err
	}
	return useBus(fd)
}

// useBus never closes fd: go-keyring dials it when it likes.
func useBus(fd int) error {
	if err := os.Setenv(busVariable, "unix:path="+heldBus(fd)); err != nil {
		return fmt.Errorf("set %s: %w", busVariable, err)
	}
	return nil
}

func heldBus(fd int) string { return fmt.Sprintf("/proc/self/fd/%d", fd) }

// busPath is the path in the D-Bus address of one unix socket.
func busPath(address string) (string, error) {
	if strings.Contains(address, ";") {
		return "", errors.New("it lists several addresses")
	}
	transport, keys, _ := strings.Cut(address, ":")
	if transport != "unix" {
		return "", errors.New("it names no unix socket")
	}
	path := ""
	for pair := range strings.SplitSeq(keys, ",") {
		switch key, value, _ := strings.Cut(pair, "="); {
		case key == "guid": // of the server; it proves nothing
		case key != "path":
			return "", errors.New("it has something other than a path")
		case path != "":
			return "", errors.New("it has two paths")
		default:
			var err error
			if path, err = dbus.UnescapeBusAddressValue(value); err != nil {
				return "", errors.New("its path is not escaped as D-Bus wants it")
			}
		}
	}
	if !filepath.IsAbs(path) {
		return "", errors.New("it has no absolute path")
	}
	return path, nil
}

// holdBus opens the socket at path, without a word to its server, and fails unless that server has our uid.
func holdBus(path string) (fd int, err error) {
	fd, err = unix.Open(path, unix.O_PATH|unix.O_CLOEXEC, 0)
	if err != nil {
		return -1, &fs.PathError{Op: "open", Path: path, Err: err}
	}
	if err := checkBus(fd, path); err != nil {
		unix.Close(fd)
		return -1, err
	}
	return fd, nil
}

func checkBus(fd int, path string) error {
	var info unix.Stat_t
	if err := unix.Fstat(fd, &info); err != nil {
		return &fs.PathError{Op: "stat", Path: path, Err: err}
	}
	if info.Mode&unix.S_IFMT != unix.S_IFSOCK {
		return fmt.Errorf("%s is not a socket", path)
	}
	conn, err := net.DialUnix("unix", nil, &net.UnixAddr{Name: heldBus(fd), Net: "unix"})
	if err != nil {
		return fmt.Errorf("dial %s: %w", path, errors.Unwrap(err)) // the whole error names the path in /proc
	}
	defer conn.Close()
	raw, err := conn.SyscallConn()
	if err != nil {
		return err
	}
	var peer *unix.Ucred
	var peerErr error
	err = raw.Control(func(fd uintptr) {
		peer, peerErr = unix.GetsockoptUcred(int(fd), unix.SOL_SOCKET, unix.SO_PEERCRED)
	})
	if err = errors.Join(err, peerErr); err != nil {
		return fmt.Errorf("ask whose bus %s is: %w", path, err)
	}
	if int(peer.Uid) != os.Geteuid() {
		return &strangerError{fmt.Sprintf("the bus at %s is another user's (uid %d)", path, peer.Uid)}
	}
	return nil
}

// usualBuses are the paths of a session bus where busVariable is not set.
func usualBuses() []string {
	var paths []string
	if dir := os.Getenv("XDG_RUNTIME_DIR"); filepath.IsAbs(dir) {
		paths = append(paths, filepath.Join(dir, "bus"))
	}
	return append(paths, fmt.Sprintf("/run/user/%d/bus", os.Geteuid()))
}

// findOwnBus looks where a session bus usually is, and holds the first that is there. The path is "" if none is.
func findOwnBus() (path string, fd int, err error) {
	for _, path := range usualBuses() {
		fd, err := holdBus(path)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		return path, fd, err
	}
	return "", -1, nil
}

// busCure is what to do about a bus that cannot be used for err.
func busCure(err error) string {
	if _, is := errors.AsType[*strangerError](err); !is {
		return "log in with a desktop session, or " + fileCure
	}
	for _, path := range usualBuses() {
		if fd, err := holdBus(path); err == nil {
			unix.Close(fd)
			return fmt.Sprintf("export %s=unix:path=%s, then tcred daemon stop; or %s", busVariable,
				dbus.EscapeBusAddressValue(path), fileCure)
		}
	}
	return fmt.Sprintf("log in as this user itself (su -, ssh), so that %s is unix:path= and the socket of a bus "+
		"of your own; or %s", busVariable, fileCure)
}
