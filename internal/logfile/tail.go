package logfile

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"io/fs"
	"os"

	"github.com/tcred/tcred/internal/disk"
)

// Tail prints the end of a log file. Meanwhile the daemon may rename it to path.1 and begin a new one.
type Tail struct {
	path string
	out  io.Writer
	file *os.File // nil while there is none
}

// NewTail prints to out what is in the log at path. More opens the log if Open found none.
func NewTail(path string, out io.Writer) *Tail { return &Tail{path: path, out: out} }

// Open opens the log. The error is fs.ErrNotExist where there is none.
func (t *Tail) Open() error {
	f, err := disk.Open(t.path)
	if err == nil {
		t.file = f
	}
	return err
}

// Close closes the file.
func (t *Tail) Close() {
	if t.file != nil {
		t.file.Close() // it was only read
		t.file = nil
	}
}

// Last prints the last n lines of both files together.
func (t *Tail) Last(n int) error {
	var lines [][]byte
	if t.file != nil {
		var err error
		if lines, err = lastLines(t.file, n); err != nil {
			return err
		}
	}
	if len(lines) < n {
		older, err := lastLinesOf(t.path+".1", n-len(lines))
		if err != nil {
			return err
		}
		lines = append(older, lines...)
	}
	_, err := t.out.Write(bytes.Join(lines, nil))
	return err
}

// lastLinesOf are the last n lines of the file at path: none if there is no file.
func lastLinesOf(path string, n int) ([][]byte, error) {
	f, err := disk.Open(path)
	if err != nil {
		return nil, ignoreMissing(err)
	}
	defer f.Close()
	return lastLines(f, n)
}

// lastLines reads r to its end and returns the last n lines, with their line ends.
func lastLines(r io.Reader, n int) ([][]byte, error) {
	var lines [][]byte
	for in := bufio.NewReader(r); ; {
		line, err := in.ReadBytes('\n')
		if len(line) > 0 {
			lines = append(lines, line)
			lines = lines[max(0, len(lines)-n):]
		}
		if err == io.EOF {
			return lines, nil
		}
		if err != nil {
			return nil, err
		}
	}
}

// More prints what was written since, also when the daemon began a new file meanwhile.
func (t *Tail) More() error {
	if t.file == nil {
		if err := t.Open(); err != nil {
			return ignoreMissing(err)
		}
	}
	if _, err := io.Copy(t.out, t.file); err != nil {
		return err
	}
	ours, err := t.file.Stat()
	if err != nil {
		return err
	}
	now, err := os.Stat(t.path)
	if err != nil || os.SameFile(ours, now) {
		return ignoreMissing(err)
	}
	if _, err := io.Copy(t.out, t.file); err != nil { // what was written before it was renamed
		return err
	}
	t.Close()
	if err := t.Open(); err != nil {
		return ignoreMissing(err)
	}
	_, err = io.Copy(t.out, t.file)
	return err
}

func ignoreMissing(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}
