package cli

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/tcred/tcred/api"
	"github.com/tcred/tcred/client"
	"github.com/tcred/tcred/internal/place/dirs"
	"github.com/tcred/tcred/internal/say"
	"github.com/tcred/tcred/internal/socket"
	"github.com/tcred/tcred/packaging"
)

func (a *app) serviceCmd() *cobra.Command {
	var dry bool
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
	verb := func(use, short, long string, do func(manager, context.Context, *steps) error) *cobra.Command {
		return &cobra.Command{
			Use: use, Short: short, Long: long, Example: "  tcred service " + use, Args: cobra.NoArgs,
			RunE: func(cmd *cobra.Command, _ []string) error {
				m, err := a.manager(runtime.GOOS)
				if err != nil {
					return err
				}
				return do(m, cmd.Context(), &steps{app: a, dry: dry})
			},
		}
	}
	install := verb("install", "Install and start the service",
		`Install writes the units with the path of this binary and of your config, unless a package brought units,
and starts the service. A daemon that a helper started makes room, a unit of your own is kept as NAME.bak. It
says what it does, and may be run again: only what differs is done. With --dry-run it changes nothing.`, manager.install)
	uninstall := verb("uninstall", "Stop and remove the service",
		`Uninstall stops the service and removes what install wrote, and the log. Config, keys and cached
credentials stay: see tcred clear --all and tcred remove.`,
		func(m manager, ctx context.Context, s *steps) error { return a.uninstall(ctx, m, s) })
	restart := verb("restart", "Restart the service, as after an upgrade",
		`Restart ends the daemon and starts the binary that is on disk now. Under systemd no call is lost: what
comes meanwhile waits at the socket.`, manager.restart)
	for _, c := range []*cobra.Command{install, uninstall, restart} {
		c.Flags().BoolVar(&dry, "dry-run", false, "say what would be done, and change nothing")
	}
	cmd.AddCommand(install, uninstall, a.serviceStatusCmd(), restart)
	return cmd
}

// manager is what looks after services on this system.
type manager interface {
	install(ctx context.Context, s *steps) error
	uninstall(ctx context.Context, s *steps) error
	restart(ctx context.Context, s *steps) error
	status(ctx context.Context) (serviceStatus, error)
}

func (a *app) manager(goos string) (manager, error) {
	binary, err := os.Executable()
	if err == nil {
		binary, err = filepath.EvalSymlinks(binary)
	}
	if err != nil {
		return nil, fmt.Errorf("finding this binary: %w", err)
	}
	binary = lasting(binary)
	switch goos {
	case "linux":
		return &systemd{app: a, binary: binary}, nil
	case "darwin":
		return &launchd{app: a, binary: binary}, nil
	}
	return nil, &api.Error{
		Code: api.NotFound, Message: "tcred knows no services on " + goos,
		Hint: "none is needed: tcred get and exec take --no-daemon",
	}
}

// lasting is a path of binary that its next upgrade keeps: Homebrew removes <prefix>/Cellar/tcred/1.2.3/bin/tcred then,
// and leads <prefix>/opt/tcred to the new one.
func lasting(binary string) string {
	prefix, rest, ok := strings.Cut(binary, "/Cellar/")
	if parts := strings.Split(rest, "/"); ok && len(parts) == 4 { // name, version, bin, tcred
		link := filepath.Join(prefix, "opt", parts[0], parts[2], parts[3])
		if same, err := filepath.EvalSymlinks(link); err == nil && same == binary {
			return link
		}
	}
	return binary
}

// uninstall removes the service, and the log that daemons without a service wrote.
func (a *app) uninstall(ctx context.Context, m manager, s *steps) error {
	if err := m.uninstall(ctx, s); err != nil {
		return err
	}
	p, err := dirs.Find()
	if err != nil {
		return err
	}
	return errors.Join(s.remove(p.Log()), s.remove(p.Log()+".1"))
}

// environment is what this shell says of tcred's places; services do not read it.
func environment() (env []packaging.Setting) {
	for _, name := range []string{
		api.EnvSocket, api.EnvConfig, api.EnvCacheDir, "XDG_CONFIG_HOME", "XDG_CACHE_HOME", "XDG_STATE_HOME", "XDG_DATA_HOME",
	} {
		if value := os.Getenv(name); value != "" {
			env = append(env, packaging.Setting{Name: name, Value: value})
		}
	}
	return env
}

// makeRoom stops a daemon that no service runs.
func (a *app) makeRoom(ctx context.Context, s *steps) error {
	st, err := new(client.Client).Status(ctx)
	if errors.Is(err, socket.ErrNotListening) {
		return nil
	}
	if err != nil {
		return err
	}
	if s.dry {
		a.tell("would stop the daemon that runs without a service, process %d", st.PID)
		return nil
	}
	a.tell("stopping the daemon that runs without a service, process %d", st.PID)
	return a.stopDaemon(ctx)
}

// greet makes sure that the service answers.
func (a *app) greet(ctx context.Context, s *steps) error {
	if s.dry {
		return nil
	}
	st, err := new(client.Client).Status(ctx)
	if err != nil {
		e := api.AsError(err)
		return &api.Error{
			Code: e.Code, Message: "the service is installed but does not answer: " + e.Message,
			Hint: "tcred service status, tcred logs", RequestID: e.RequestID, Cause: err,
		}
	}
	a.tell("the daemon, version %s, answers on %s", st.Version, st.Socket)
	return nil
}

// steps does one thing after another and says each on stderr, or only says them.
type steps struct {
	app     *app
	dry     bool
	changed bool // a file was, or would be, written or removed
}

// write makes path hold text.
func (s *steps) write(path, text string) error {
	if old, err := os.ReadFile(path); err == nil && string(old) == text {
		s.app.tell("%s is as it should be", path)
		return nil
	}
	s.changed = true
	if s.dry {
		s.app.tell("would write %s", path)
		_, err := fmt.Fprintf(s.app.out, "# %s\n%s\n", path, text)
		return err
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return fmt.Errorf("making a directory for the service: %w", err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		return fmt.Errorf("writing the service: %w", err)
	}
	s.app.tell("wrote %s", path)
	return nil
}

// setAside keeps a file that somebody else wrote under another name.
func (s *steps) setAside(path string) error {
	kept := path + ".bak"
	for n := 2; isFile(kept); n++ {
		kept = fmt.Sprintf("%s.bak%d", path, n)
	}
	s.changed = true
	if s.dry {
		s.app.tell("would keep %s, which install did not write, as %s", path, kept)
		return nil
	}
	if err := os.Rename(path, kept); err != nil {
		return fmt.Errorf("keeping what somebody else wrote: %w", err)
	}
	s.app.tell("kept %s, which install did not write, as %s", path, kept)
	return nil
}

// remove removes path, if it is there, and its directory, if that is one of a unit's drop-ins and now empty.
func (s *steps) remove(path string) error {
	if _, err := os.Lstat(path); errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	s.changed = true
	if s.dry {
		s.app.tell("would remove %s", path)
		return nil
	}
	if err := os.Remove(path); err != nil {
		return fmt.Errorf("removing the service: %w", err)
	}
	s.app.tell("removed %s", path)
	if dir := filepath.Dir(path); strings.HasSuffix(dir, ".d") {
		os.Remove(dir) // the user's own drop-ins are in it
	}
	return nil
}

// run runs a command that changes something.
func (s *steps) run(ctx context.Context, c command) error {
	if s.dry {
		s.app.tell("would run %s", c)
		return nil
	}
	if _, err := c.output(ctx); err != nil {
		return err
	}
	s.app.tell("ran %s", c)
	return nil
}

// command is a program and its arguments.
type command []string

func (c command) String() string { return strings.Join(c, " ") }

// output runs c and returns what it prints. The error holds what it says on stderr.
func (c command) output(ctx context.Context) (string, error) {
	cmd := exec.CommandContext(ctx, c[0], c[1:]...)
	cmd.Env = withRuntimeDir(os.Environ())
	var said strings.Builder
	cmd.Stderr = &said
	out, err := cmd.Output()
	text := strings.TrimSpace(string(out))
	if err != nil {
		if why := strings.TrimSpace(said.String()); why != "" {
			return text, fmt.Errorf("%s: %s (%w)", c, why, err)
		}
		return text, fmt.Errorf("%s: %w", c, err)
	}
	return text, nil
}

// withRuntimeDir adds XDG_RUNTIME_DIR where su, sudo or cron took it away: systemctl finds its manager through it.
func withRuntimeDir(env []string) []string {
	dir := fmt.Sprintf("/run/user/%d", os.Geteuid())
	if os.Getenv("XDG_RUNTIME_DIR") != "" || socket.CheckDir(dir) != nil {
		return env
	}
	return append(env, "XDG_RUNTIME_DIR="+dir)
}

// serviceStatus is what a manager knows of the service.
type serviceStatus struct {
	Manager  string
	Files    []string // what it is made of; none if it is not installed
	States   [][2]string
	PID      int    // of the daemon that the service runs; 0 while it runs none
	Outdated string // why install should be run again; "" if it need not
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
			m, err := a.manager(runtime.GOOS)
			if err != nil {
				return err
			}
			st, err := m.status(cmd.Context())
			if err != nil {
				return err
			}
			return a.printServiceStatus(cmd.Context(), st)
		},
	}
}

func (a *app) printServiceStatus(ctx context.Context, st serviceStatus) error {
	w := tabwriter.NewWriter(a.out, 0, 0, 2, ' ', 0)
	line := func(name, format string, args ...any) { fmt.Fprintf(w, name+"\t"+format+"\n", args...) }
	line("manager", "%s", st.Manager)
	if len(st.Files) == 0 {
		line("service", "not installed: tcred service install")
		return errors.Join(w.Flush(), exitStatus(say.ExitFailed))
	}
	for _, f := range st.Files {
		line("file", "%s", f)
	}
	for _, s := range st.States {
		line(s[0], "%s", s[1])
	}
	due := st.Outdated
	if st.PID != 0 { // else asking would start it
		running, err := new(client.Client).Status(ctx)
		switch {
		case err != nil:
			line("daemon", "does not answer: %v", err)
		case running.PID != st.PID:
			line("daemon", "process %d answers on %s, not the service's %d", running.PID, running.Socket, st.PID)
			due = "tcred service install: another daemon took the socket"
		default:
			line("daemon", "version %s, process %d", running.Version, running.PID)
			if running.Version != api.Version {
				due = fmt.Sprintf("tcred service restart: the daemon is version %s, this is %s", running.Version, api.Version)
			}
		}
	}
	if due != "" {
		line("due", "%s", due)
	}
	return w.Flush()
}
