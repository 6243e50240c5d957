// Package disk reads and writes the files that keep something, and tells which files and directories are ours alone.
package disk

import (
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// A Fault is why what lies at a path is not used.
type Fault struct {
	Path string
	What string // how a sentence ends that begins with the path
	Cure string // a command, or what else a person does about it; "" if there is nothing to say
}

func (f *Fault) Error() string { return f.Path + " " + f.What }

// Open opens a regular file, or what a link to one points to. Anything else is a Fault: a pipe would have to be waited for.
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

// Read is the content of a file that Open opens. More than limit bytes are a Fault.
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

// Write makes data the file at path, 0600, whole or not at all, also through a power cut: it is written beside its
// place, under a name by the pattern temp (see os.CreateTemp), and moved there by place (os.Rename replaces, os.Link
// does not) once it is on the disk. Unless the process is killed, the temporary file is gone when Write returns.
func Write(path, temp string, data []byte, place func(from, to string) error) error {
	dir := filepath.Dir(path)
	f, err := os.CreateTemp(dir, temp)
	if err != nil {
		return err
	}
	defer os.Remove(f.Name()) // fails after a rename, as it should
	if err := fill(f, data); err != nil {
		return err
	}
	if err := place(f.Name(), path); err != nil {
		return err
	}
	return syncDir(dir)
}

// fill writes, syncs and closes. On a full disk a short write may well be followed by a sync and a close that
// succeed, so the first error counts and ends it.
func fill(f *os.File, data []byte) error {
	if _, err := f.Write(data); err != nil {
		f.Close()
		return err
	}
	if err := f.Sync(); err != nil {
		f.Close()
		return err
	}
	return f.Close()
}
