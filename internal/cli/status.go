package cli

import (
	"context"
	"errors"
	"fmt"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/tcred/tcred/api"
	"github.com/tcred/tcred/internal/human"
	"github.com/tcred/tcred/internal/place/dirs"
	"github.com/tcred/tcred/internal/say"
	"github.com/tcred/tcred/internal/service"
	"github.com/tcred/tcred/internal/socket"
)

func (a *app) statusCmd() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "status",
		Short: "Show the daemon and what it holds",
		Long: `Status shows the running daemon, and of each profile when its credential expires, when it was last
asked for, and what went wrong last. It never starts a daemon: where none runs it says so and ends
with exit status 1.`,
		Example: `  tcred status
  tcred status --json`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return a.status(cmd.Context(), asJSON) },
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
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
		e.Hint = "the first tool that asks starts it, as tcred get does; tcred doctor looks for faults"
		err = &e
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

// warnOfSkew tells of a daemon that is not what this command would start.
func (a *app) warnOfSkew(st api.Status, p dirs.Places) {
	if st.Version != api.Version {
		a.warn("the daemon is version %s, this is %s; a restart is due: tcred service restart, "+
			"or without a service tcred daemon stop", st.Version, api.Version)
	}
	if st.Config != p.Config {
		a.warn("the daemon reads %s, this shell means %s", st.Config, p.Config)
	}
	if st.Problem != nil {
		a.warn("the config on disk is not in use: %s; tcred check shows all", st.Problem.Detail)
	}
}

func (a *app) printStatus(st api.Status, now time.Time) error {
	w := tabwriter.NewWriter(a.out, 0, 0, 2, ' ', 0)
	fmt.Fprintf(w, "daemon\tversion %s, pid %d, since %s\n", st.Version, st.PID, human.Moment(st.Started, now))
	fmt.Fprintf(w, "socket\t%s\n", st.Socket)
	fmt.Fprintf(w, "config\t%s\n", st.Config)
	fmt.Fprintf(w, "keystore\t%s\n", human.Dash(st.Keystore))
	fmt.Fprintf(w, "sts calls\t%d\n", st.STSCalls)
	if len(st.Profiles) > 0 {
		w.Flush() // each table has its own columns
		fmt.Fprintln(w, "\nPROFILE\tKEY\tEXPIRES\tLAST USE\tLAST ERROR")
	}
	for _, p := range st.Profiles {
		code := ""
		if p.LastError != nil {
			code = string(p.LastError.Code)
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\n",
			p.Name, human.Dash(p.Key), human.Moment(p.Expires, now), human.Moment(p.LastUse, now), human.Dash(code))
	}
	if err := w.Flush(); err != nil {
		return fmt.Errorf("writing the answer: %w", err)
	}
	for _, p := range st.Profiles {
		if e := p.LastError; e != nil {
			fmt.Fprintf(a.out, "\n%s: %s: %s\n", p.Name, e.Code, human.OneLine(e.Detail))
			if e.Hint != "" {
				fmt.Fprintf(a.out, "  hint: %s\n", human.OneLine(e.Hint))
			}
		}
	}
	return nil
}
