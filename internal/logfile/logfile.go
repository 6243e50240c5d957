// Package logfile is the log of a daemon in the background: bounded, and read from its end.
package logfile

import (
	"fmt"
	"os"
	"path/filepath"
	"sync"

	"github.com/tcred/tcred/internal/disk"
)

// Max is the size in bytes at which a File starts anew; the one before it is kept as <path>.1.
const Max = 1 << 20

// File is an append-only log bounded in size. It is safe for concurrent use.
type File struct {
	path   string
	opened func(*os.File) error

	mu   sync.Mutex
	file *os.File
	size int64
}

// Open opens the log at path for appending, and makes its directory, which must be ours alone. opened, unless nil,
// is told of each file that takes the log's words from then on.
func Open(path string, opened func(*os.File) error) (*File, error) {
	dir := filepath.Dir(path)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("making the log's directory: %w", err)
	}
	if err := disk.PrivateDir(dir); err != nil {
		return nil, fmt.Errorf("opening the log: %w", err)
	}
	l := &File{path: path, opened: opened}
	return l, l.open()
}

func (l *File) open() error {
	file, err := os.OpenFile(l.path, os.O_WRONLY|os.O_APPEND|os.O_CREATE|plainOnly, 0o600)
	if err != nil {
		return fmt.Errorf("opening the log: %w", err)
	}
	if err := l.use(file); err != nil {
		file.Close() // nothing was written
		return fmt.Errorf("opening the log: %w", err)
	}
	return nil
}

// use makes file the log. One that was there before may have any mode.
func (l *File) use(file *os.File) error {
	info, err := file.Stat()
	if err != nil {
		return err
	}
	if !info.Mode().IsRegular() {
		return fmt.Errorf("%s is not a regular file", l.path)
	}
	if info.Mode().Perm()&0o077 != 0 {
		if err := file.Chmod(0o600); err != nil {
			return err
		}
	}
	if l.opened != nil {
		if err := l.opened(file); err != nil {
			return err
		}
	}
	l.file, l.size = file, info.Size()
	return nil
}

// Write appends p. Where a new file cannot be started the old one grows on: a log is better long than lost.
func (l *File) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.size+int64(len(p)) > Max && l.size > 0 {
		l.rotate()
	}
	n, err := l.file.Write(p)
	l.size += int64(n)
	return n, err
}

func (l *File) rotate() {
	old := l.file
	if os.Rename(l.path, l.path+".1") != nil {
		return
	}
	if l.open() != nil {
		l.file = old
		return
	}
	old.Close() // every write to it was checked
}
