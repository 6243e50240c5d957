package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"time"

	"github.com/spf13/cobra"

	"github.com/tcred/tcred/internal/disk"
	"github.com/tcred/tcred/internal/place/dirs"
)

// logPoll is how often logs --follow looks for more.
const logPoll = 300 * time.Millisecond

func (a *app) logsCmd() *cobra.Command {
	var follow bool
	var lines int
	cmd := &cobra.Command{
		Use:   "logs",
		Short: "Show the daemon's log",
		Long: `Logs prints the last lines of the log of daemons that ran in the background. The log is kept to two files
of 1 MiB, the older one with .1 behind its name. No secret is in it. A service of systemd writes to the
journal in its place: journalctl --user -u tcred.`,
		Example: `  tcred logs
  tcred logs -n 20 --follow`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if lines < 0 {
				return usage("tcred logs -n 20", "-n takes a count of lines, 0 or more")
			}
			p, err := dirs.Find()
			if err != nil {
				return err
			}
			return a.logs(cmd.Context(), p.Log(), lines, follow)
		},
	}
	cmd.Flags().BoolVarP(&follow, "follow", "f", false, "go on with what is written from now on")
	cmd.Flags().IntVarP(&lines, "lines", "n", 200, "how many lines at most")
	return cmd
}

func (a *app) logs(ctx context.Context, path string, lines int, follow bool) error {
	t := &tail{path: path, out: a.out}
	defer t.close()
	err := t.open()
	if errors.Is(err, fs.ErrNotExist) {
		a.tell("there is no log yet; a daemon in the background writes to %s, a service of systemd to the journal", path)
	} else if err != nil {
		return fmt.Errorf("reading the log: %w", err)
	}
	if err := t.last(lines); err != nil {
		return fmt.Errorf("reading the log: %w", err)
	}
	for follow {
		select {
		case <-ctx.Done():
			return nil // ^C is how one ends it
		case <-time.After(logPoll):
		}
		if err := t.more(); err != nil {
			return fmt.Errorf("reading the log: %w", err)
		}
	}
	return nil
}

// tail prints the end of a log file that may be renamed to path.1 and begun anew meanwhile.
type tail struct {
	path string
	out  io.Writer
	file *os.File // nil while there is none
}

func (t *tail) open() error {
	f, err := disk.Open(t.path)
	if err == nil {
		t.file = f
	}
	return err
}

func (t *tail) close() {
	if t.file != nil {
		t.file.Close() // it was only read
		t.file = nil
	}
}

// last prints the last n lines of both files together.
func (t *tail) last(n int) error {
	offset, have, err := lastLines(t.file, n)
	if err != nil {
		return err
	}
	if have < n {
		if err := t.lastOlder(n - have); err != nil {
			return err
		}
	}
	return printFrom(t.out, t.file, offset)
}

// lastOlder prints the last n lines of the older file, if there is one.
func (t *tail) lastOlder(n int) error {
	older, err := disk.Open(t.path + ".1")
	if err != nil {
		return ignoreMissing(err)
	}
	defer older.Close()
	offset, _, err := lastLines(older, n)
	if err != nil {
		return err
	}
	return printFrom(t.out, older, offset)
}

// more prints what was written since, through a change of files.
func (t *tail) more() error {
	if t.file == nil {
		if err := t.open(); err != nil {
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
	if _, err := io.Copy(t.out, t.file); err != nil { // the last words before it was renamed
		return err
	}
	t.close()
	if err := t.open(); err != nil {
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

// lastLines is where the last n lines of f begin, and how many there are, at most n. It reads backwards, a piece at
// a time: a log that something else let grow is no reason for much memory.
func lastLines(f *os.File, n int) (offset int64, have int, err error) {
	if f == nil {
		return 0, 0, nil
	}
	info, err := f.Stat()
	if err != nil {
		return 0, 0, err
	}
	end := info.Size()
	if n == 0 {
		return end, 0, nil
	}
	piece := make([]byte, 32<<10)
	for start := end; start > 0; {
		size := min(start, int64(len(piece)))
		start -= size
		if _, err := f.ReadAt(piece[:size], start); err != nil && err != io.EOF {
			return 0, 0, err
		}
		for i := size - 1; i >= 0; i-- {
			if piece[i] != '\n' || start+i == end-1 { // the newline at the very end begins nothing
				continue
			}
			if have++; have >= n {
				return start + i + 1, n, nil
			}
		}
	}
	if end == 0 {
		return 0, 0, nil
	}
	return 0, have + 1, nil
}

func printFrom(w io.Writer, f *os.File, offset int64) error {
	if f == nil {
		return nil
	}
	if _, err := f.Seek(offset, io.SeekStart); err != nil {
		return err
	}
	_, err := io.Copy(w, f)
	return err
}
