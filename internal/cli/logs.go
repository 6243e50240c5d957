package cli

import (
	"bufio"
	"bytes"
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
	"github.com/tcred/tcred/internal/say"
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
			return exitStatus(say.ExitInterrupted) // ^C is how one ends it
		case <-time.After(logPoll):
		}
		if err := t.more(); err != nil {
			return fmt.Errorf("reading the log: %w", err)
		}
	}
	return nil
}

// tail prints the end of the log file at path. Meanwhile the daemon may rename it to path.1 and begin a new one.
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

// more prints what was written since, also when the daemon began a new file meanwhile.
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
	if _, err := io.Copy(t.out, t.file); err != nil { // what was written before it was renamed
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
