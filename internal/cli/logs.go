package cli

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"time"

	"github.com/spf13/cobra"

	"github.com/tcred/tcred/internal/cmdline"
	"github.com/tcred/tcred/internal/logfile"
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
				return cmdline.Error("tcred logs -n 20", "-n takes a count of lines, 0 or more")
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
	t := logfile.NewTail(path, a.out)
	defer t.Close()
	err := t.Open()
	if errors.Is(err, fs.ErrNotExist) {
		a.tell("there is no log yet; a daemon in the background writes to %s, a service of systemd to the journal", path)
	} else if err != nil {
		return fmt.Errorf("reading the log: %w", err)
	}
	if err := t.Last(lines); err != nil {
		return fmt.Errorf("reading the log: %w", err)
	}
	for follow {
		select {
		case <-ctx.Done():
			return exitStatus(say.ExitInterrupted) // ^C is how one ends it
		case <-time.After(logPoll):
		}
		if err := t.More(); err != nil {
			return fmt.Errorf("reading the log: %w", err)
		}
	}
	return nil
}
