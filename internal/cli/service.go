package cli

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/tcred/tcred/internal/say"
	"github.com/tcred/tcred/internal/service"
)

func (a *app) serviceCmd() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "service",
		Short: "Run the daemon as a service of your user",
		Long: `Service makes the daemon a user service: on Linux under systemd, which listens on the socket and
starts the daemon at the first call; on macOS under launchd, from login on. None of it is needed: without
a service the helper starts the daemon by itself. What a service adds: a daemon that fails or hangs is
started anew, a restart loses no call, and its log is in the journal.`,
		Example: `  tcred service install --dry-run
  tcred service install
  tcred service status`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(
		a.serviceChange("install", "Install and start the service",
			`Install writes the units with the path of this binary and of your config, unless a package brought units,
and starts the service. A daemon that a helper started makes room, a unit of your own is kept as NAME.bak. It
says what it does, and may be run again: only what differs is done. With --dry-run it changes nothing.`, (*service.Service).Install),
		a.serviceChange("uninstall", "Stop and remove the service",
			`Uninstall stops the service and removes what install wrote, and the log. Config, keys and cached
credentials stay: see tcred clear --all and tcred remove.`, (*service.Service).Uninstall),
		a.serviceStatusCmd(),
		a.serviceChange("restart", "Restart the service, as after an upgrade",
			`Restart ends the daemon and starts the binary that is on disk now. Under systemd no call is lost: what
comes meanwhile waits at the socket.`, (*service.Service).Restart),
	)
	return cmd
}

// serviceChange is a command that changes the service, or with --dry-run says what it would change.
func (a *app) serviceChange(use, short, long string, change func(*service.Service, context.Context) error) *cobra.Command {
	var dry bool
	cmd := &cobra.Command{
		Use: use, Short: short, Long: long, Example: "  tcred service " + use, Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			s, err := a.service(dry)
			if err != nil {
				return err
			}
			return change(s, cmd.Context())
		},
	}
	cmd.Flags().BoolVar(&dry, "dry-run", false, "say what would be done, and change nothing")
	return cmd
}

// service is the service of this system, which tells this command's person what it does.
func (a *app) service(dry bool) (*service.Service, error) {
	return service.New(runtime.GOOS, service.Options{DryRun: dry, Say: a.tell, Warn: a.warn, Out: a.out})
}

func (a *app) serviceStatusCmd() *cobra.Command {
	return &cobra.Command{
		Use:   "status",
		Short: "Show the service and whether a restart is due",
		Long: `Status shows the service's state, and whether the daemon that runs is another version than this binary, as
after an upgrade. It starts nothing. It ends with exit status 1 where the service is not installed.`,
		Example: "  tcred service status",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			s, err := a.service(false)
			if err != nil {
				return err
			}
			st, err := s.Status(cmd.Context())
			if err != nil {
				return err
			}
			return a.printServiceStatus(st)
		},
	}
}

func (a *app) printServiceStatus(st service.Status) error {
	w := tabwriter.NewWriter(a.out, 0, 0, 2, ' ', 0)
	fmt.Fprintf(w, "manager\t%s\n", st.Manager)
	if len(st.Files) == 0 {
		fmt.Fprintf(w, "service\tnot installed: tcred service install\n")
		return errors.Join(w.Flush(), exitStatus(say.ExitFailed))
	}
	for _, f := range st.Files {
		fmt.Fprintf(w, "file\t%s\n", f)
	}
	for _, part := range st.States {
		fmt.Fprintf(w, "%s\t%s\n", part[0], part[1])
	}
	if st.Daemon != "" {
		fmt.Fprintf(w, "daemon\t%s\n", st.Daemon)
	}
	if st.Due != "" {
		fmt.Fprintf(w, "due\t%s\n", st.Due)
	}
	return w.Flush()
}
