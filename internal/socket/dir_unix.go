//go:build unix

package socket

import (
	"errors"
	"io/fs"
	"os"
	"path"
	"syscall"

	"github.com/tcred/tcred/api"
	"github.com/tcred/tcred/internal/human"
)

// CheckDir says whether dir may hold the socket: a directory, no link to one, ours, and closed to everybody
// else. It is what keeps another user from listening in our place, so root gets no exception.
// Errors are *api.Error and name dir; errors.Is(err, fs.ErrNotExist) if it is not there.
func CheckDir(dir string) error {
	info, err := os.Lstat(dir)
	if err != nil {
		return unsafeDir("cannot look at directory "+human.Quote(dir)+": "+reason(err), "", err)
	}
	owner := int(info.Sys().(*syscall.Stat_t).Uid)
	perm := info.Mode().Perm()
	switch {
	case info.Mode()&fs.ModeSymlink != 0:
		return unsafeDir(human.Quote(dir)+" is a link, not a directory",
			"remove the link, or set "+api.EnvSocket+" to the place it leads to", nil)
	case !info.IsDir():
		return unsafeDir(human.Quote(dir)+" is not a directory", "remove it, or set "+api.EnvSocket, nil)
	case owner != os.Geteuid():
		return unsafeDir("directory "+human.Quote(dir)+" belongs to uid "+human.Itoa(owner, 10)+
			", not to you (uid "+human.Itoa(os.Geteuid(), 10)+")", ownDir, nil)
	case perm&0o077 != 0 && info.Mode()&fs.ModeSticky != 0: // /tmp and its like are not ours to close
		return unsafeDir("directory "+human.Quote(dir)+" is shared with other users", ownDir, nil)
	case perm&0o077 != 0: // /run and / are not ours to close either
		return unsafeDir("directory "+human.Quote(dir)+" is open to other users (mode "+human.Itoa(int(perm), 8)+")",
			"chmod 700 "+human.Quote(dir)+" if nobody else needs it, else "+ownDir, nil)
	}
	return nil
}

const ownDir = "set " + api.EnvSocket + " to a path in a directory of your own with mode 0700"

func unsafeDir(message, hint string, cause error) error {
	return &api.Error{Code: api.Forbidden, Message: message, Hint: hint, Cause: cause}
}

// MakeDir makes dir and what is missing above it, for us alone, then checks it as [CheckDir] does.
func MakeDir(dir string) error {
	if err := os.MkdirAll(path.Dir(dir), 0o700); err != nil {
		return unsafeDir("cannot make directory "+human.Quote(path.Dir(dir))+": "+reason(err), ownDir, err)
	}
	// Not MkdirAll: it would follow a link, and take it for a directory.
	if err := os.Mkdir(dir, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
		return unsafeDir("cannot make directory "+human.Quote(dir)+": "+reason(err), ownDir, err)
	}
	return CheckDir(dir)
}

// reason is the system's word for err, without the call and the path that os puts before it.
func reason(err error) string {
	var errno syscall.Errno
	if errors.As(err, &errno) {
		return errno.Error()
	}
	return err.Error()
}
