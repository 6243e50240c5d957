// Package disk reads small files and replaces them whole, and tells who can read or write a file or a directory.
package disk

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// A Fault says why the file or directory at a path is not used.
type Fault struct {
	Path string
	What string // the rest of a sentence that begins with the path
	Cure string // a command, or what else a person can do about it; "" if nothing
}

func (f *Fault) Error() string { return f.Path + " " + f.What }

// Open opens a regular file, or a link to one. Anything else is a Fault: to open a pipe would be to wait for a writer.
func Open(path string) (*os.File, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, &Fault{Path: path, What: "is " + kind(info.Mode()) + ", not a file"}
	}
	return os.Open(path)
}

// IsFile reports whether a regular file is at path, or a link to one.
func IsFile(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular()
}

// Read returns the content of the file at path, if Open opens it. More than limit bytes are a Fault.
func Read(path string, limit int) ([]byte, error) {
	f, err := Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, int64(limit)+1))
	if err != nil {
		return nil, err
	}
	if len(data) > limit {
		return nil, &Fault{Path: path, What: fmt.Sprintf("is longer than %d bytes", limit)}
	}
	return data, nil
}

func kind(mode fs.FileMode) string {
	switch {
	case mode.IsDir():
		return "a directory"
	case mode&fs.ModeNamedPipe != 0:
		return "a named pipe"
	case mode&fs.ModeSocket != 0:
		return "a socket"
	}
	return "a device"
}

// Write makes data the file at path, 0600, whole or not at all, also through a power cut: it is written to a temporary
// file in the same directory, and that is renamed to path once it is on the disk. The temporary file is gone when Write
// returns, unless the process is killed.
//
// temp is the temporary file's name. If it has a *, that becomes random digits, so that many may write at once. If not,
// one writes at a time: while there is a file of that name the error is fs.ErrExist, and it stays as it is. Somebody
// may take it for one that a killed writer left, and remove it: then Write fails, and path stays as it was.
func Write(path, temp string, data []byte) error {
	return WriteChecked(path, temp, data, func(string) error { return nil })
}

// WriteChecked is Write, but check, which is given the path of the temporary file, has the last word: at its error path
// stays as it was.
func WriteChecked(path, temp string, data []byte, check func(written string) error) error {
	return writeWith(path, temp, data, func(*os.File) error { return nil }, check)
}

// writeWith is WriteChecked; prepare is called with the temporary file before anything is in it.
func writeWith(path, temp string, data []byte, prepare func(*os.File) error, check func(written string) error) error {
	dir := filepath.Dir(path)
	f, err := create(dir, temp)
	if err != nil {
		return err
	}
	if err = prepare(f); err == nil {
		err = fill(f, data)
	} else {
		f.Close()
	}
	if errors.Is(err, errTaken) {
		return err // what has the name now is another writer's
	}
	if err == nil {
		err = check(f.Name())
	}
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		os.Remove(f.Name()) // the first error tells more
		return err
	}
	return syncDir(dir)
}

// create makes a new file. O_EXCL follows no link, wherever it points.
func create(dir, name string) (*os.File, error) {
	if strings.Contains(name, "*") {
		return os.CreateTemp(dir, name)
	}
	return os.OpenFile(filepath.Join(dir, name), os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
}

// fill writes, syncs and closes. On a full disk a short write may well be followed by a sync and a close that
// succeed, so the first error counts and ends it.
func fill(f *os.File, data []byte) error {
	_, err := f.Write(data)
	if err == nil {
		err = f.Sync()
	}
	if err == nil {
		err = checkName(f)
	}
	return cmp.Or(err, f.Close())
}

var errTaken = errors.New("removed or replaced while it was being written")

// checkName checks that the file still has its name; errTaken if not.
func checkName(f *os.File) error {
	open, err := f.Stat()
	if err != nil {
		return err
	}
	named, err := os.Lstat(f.Name())
	if errors.Is(err, fs.ErrNotExist) || err == nil && !os.SameFile(open, named) {
		return fmt.Errorf("%s was %w", f.Name(), errTaken)
	}
	return err
}
