package config

import (
	"errors"
	"fmt"
	"io/fs"
	"os"

	"github.com/tcred/tcred/internal/disk"
	"github.com/tcred/tcred/internal/human"
)

// Bounds of the files a config names, in bytes.
const (
	maxPolicy = 64 << 10
	maxCAFile = 4 << 20
)

// A fault is why a file cannot be used, as "config.toml: " or "policy_file upload.json " may precede it.
type fault struct {
	reason, hint string
	cause        error
}

func (f *fault) Error() string { return f.reason }
func (f *fault) Unwrap() error { return f.cause }

// readFile reads a regular file of at most limit bytes that is ours or root's and that nobody else can write. Its error
// is a fault.
func readFile(path string, limit int) ([]byte, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, faultOf(err)
	}
	if f := unfit(info, limit); f != nil {
		return nil, f
	}
	text, err := disk.Read(path, limit)
	if err != nil {
		return nil, faultOf(err)
	}
	return text, nil
}

func unfit(info fs.FileInfo, limit int) *fault {
	switch who, owner := disk.Writers(info), disk.Stranger(info); {
	case info.IsDir():
		return &fault{reason: "is a directory, not a file"}
	case !info.Mode().IsRegular():
		return &fault{reason: "is not a regular file"}
	case owner != "":
		return &fault{reason: "belongs to " + owner, hint: "read what it says, then make it yours with chown, or copy it"}
	case who != "":
		return &fault{reason: "can be written by " + who, hint: "chmod go-w it, and see that what it says is still yours"}
	case info.Size() > int64(limit):
		return &fault{reason: fmt.Sprintf("is larger than %d KiB", limit>>10)}
	}
	return nil
}

// faultOf drops the path from an error of os: the problem names it.
func faultOf(err error) *fault {
	if f, is := errors.AsType[*disk.Fault](err); is { // it changed since it was looked at
		return &fault{reason: f.What}
	}
	cause := err
	if e := (*fs.PathError)(nil); errors.As(err, &e) {
		cause = e.Err
	}
	if errors.Is(err, fs.ErrNotExist) {
		return &fault{reason: "does not exist", cause: err}
	}
	return &fault{reason: "cannot be read: " + human.OneLine(cause.Error()), cause: err}
}

// problemOf is a fault of a whole file.
func problemOf(file string, err error) Problem {
	p := Problem{File: file, Message: err.Error()}
	if f := (*fault)(nil); errors.As(err, &f) {
		p.Hint = f.hint
	}
	return p
}

// fileProblem notes a fault of the file that a setting names, where the setting stands.
func (t table) fileProblem(key, file string, err error) {
	p := problemOf(file, err)
	t.fail(key, fmt.Sprintf("%s %s %s", key, file, p.Message), p.Hint)
}
