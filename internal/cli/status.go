package cli

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/tcred/tcred/api"
	"github.com/tcred/tcred/internal/doctor"
	"github.com/tcred/tcred/internal/human"
	"github.com/tcred/tcred/internal/place/dirs"
	"github.com/tcred/tcred/internal/say"
	"github.com/tcred/tcred/internal/service"
	"github.com/tcred/tcred/internal/socket"
	"github.com/tcred/tcred/internal/table"
	"github.com/tcred/tcred/internal/tty"
)

func (a *app) statusCmd() *cobra.Command {
	var asJSON, watch bool
	cmd := &cobra.Command{
		Use:   "status",
		Short: "Show the daemon and what it holds",
		Long: `Status shows the running daemon: whether its keystore is open and until when, whether its cache can be
written, and of each profile when its credential expires, when it was last asked for, and what went wrong
last. It never starts a daemon: where none runs it says so and ends with exit status 1. With --watch it
looks again every two seconds until ^C.`,
		Example: `  tcred status
  tcred status --watch
  tcred status --json`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if watch {
				return a.watchStatus(cmd.Context(), asJSON)
			}
			return a.status(cmd.Context(), asJSON)
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	cmd.Flags().BoolVar(&watch, "watch", false, "show it anew every two seconds")
	return cmd
}

// status is what tcred status --json prints: the daemon's answer, and who asked.
type status struct {
	api.Status
	Client string `json:"client_version"`
}

func (a *app) status(ctx context.Context, asJSON bool) error {
	p, err := dirs.Find()
	if err != nil {
		return err
	}
	st, err := service.DaemonStatus(ctx, a.running())
	if errors.Is(err, socket.ErrNotListening) {
		e := *api.AsError(err)
		e.Message = "the daemon is down: " + e.Message
		e.Hint = "tcred get, or any tool that asks, starts it; tcred doctor looks for faults"
		err = &e
	}
	if errors.Is(err, context.Canceled) {
		return err
	}
	if err != nil {
		fmt.Fprint(a.err, say.Text(api.AsError(err)))
		return exitStatus(say.ExitFailed) // whatever the reason: scripts ask whether it is up
	}
	a.warnOfSkew(st, p)
	if asJSON {
		return a.printJSON(status{st, api.Version})
	}
	return a.printStatus(st, time.Now())
}

// watchEvery is the time between two looks of status --watch.
const watchEvery = 2 * time.Second

// watchStatus shows the status over and over. On a terminal each takes the place of the last.
func (a *app) watchStatus(ctx context.Context, asJSON bool) error {
	for {
		if tty.Is(a.out) {
			fmt.Fprint(a.out, "\x1b[H\x1b[2J") // home, and all of it blank
			a.said = nil
		}
		var down exitStatus
		if err := a.status(ctx, asJSON); err != nil && !errors.As(err, &down) {
			return err
		}
		select {
		case <-ctx.Done():
			return exitStatus(say.ExitInterrupted) // ^C is how one ends it
		case <-time.After(watchEvery):
		}
	}
}

// warnOfSkew tells of a daemon that is not what this command would start. The daemon itself says that not all of the
// config on disk is in use.
func (a *app) warnOfSkew(st api.Status, p dirs.Places) {
	if st.Version != api.Version {
		a.warn("the daemon is version %s, this is %s; a restart is due: tcred service restart, "+
			"or without a service tcred daemon stop", st.Version, api.Version)
	}
	if st.Config != p.Config {
		a.warn("the daemon reads %s, this shell means %s", st.Config, p.Config)
	}
}

func (a *app) printStatus(st api.Status, now time.Time) error {
	var head, profiles table.Table
	head.Add("daemon", fmt.Sprintf("version %s, pid %d, since %s", st.Version, st.PID, human.Moment(st.Started, now)))
	head.Add("socket", st.Socket)
	head.Add("config", st.Config)
	head.Add("default", human.Dash(st.DefaultProfile))
	head.Add("keystore", keystoreLine(st, now))
	head.Add("cache", cacheLine(st))
	head.Add("sts calls", fmt.Sprint(st.STSCalls))
	profiles.Header = []string{"PROFILE", "KEY", "EXPIRES", "LAST USE", "LAST ERROR"}
	for _, p := range st.Profiles {
		code := ""
		if p.LastError != nil {
			code = string(p.LastError.Code)
		}
		profiles.Add(p.Name, human.Dash(p.Key), human.Moment(p.Expires, now), human.Moment(p.LastUse, now), human.Dash(code))
	}
	var out bytes.Buffer // errors of writing to it are none
	head.Print(&out, a.width())
	if len(st.Profiles) > 0 {
		out.WriteString("\n")
		profiles.Print(&out, a.width())
	}
	for _, f := range doctor.Faults(st) {
		text := fmt.Sprintf("%s: %s: %s", strings.Join(f.Of, ", "), f.Problem.Code, f.Problem.Detail)
		out.WriteString("\n" + table.Prose(text, "", a.width()))
		if f.Problem.Hint != "" {
			out.WriteString(table.Prose("hint: "+f.Problem.Hint, "  ", a.width()))
		}
	}
	if _, err := a.out.Write(out.Bytes()); err != nil {
		return fmt.Errorf("writing the answer: %w", err)
	}
	return nil
}

// keystoreLine says whether keys can be read, and until when.
func keystoreLine(st api.Status, now time.Time) string {
	switch {
	case st.Keystore == "":
		return "-"
	case st.KeystoreProblem == nil && st.KeystoreUntil.IsZero():
		return st.Keystore + ", open"
	case st.KeystoreProblem == nil:
		return st.Keystore + ", open until " + human.Moment(st.KeystoreUntil, now)
	case st.KeystoreProblem.Code == api.KeystoreLocked:
		return st.Keystore + ", locked"
	}
	return st.Keystore + ", cannot be read"
}

// cacheLine says whether credentials are kept on disk.
func cacheLine(st api.Status) string {
	if st.CacheProblem == "" {
		return human.Dash(st.Cache)
	}
	return st.Cache + "; new credentials are in memory only: " + human.OneLine(st.CacheProblem)
}
