package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/tcred/tcred/api"
	"github.com/tcred/tcred/credential"
	"github.com/tcred/tcred/internal/broker"
	"github.com/tcred/tcred/internal/cmdline"
	"github.com/tcred/tcred/internal/human"
	"github.com/tcred/tcred/internal/process"
	"github.com/tcred/tcred/internal/say"
	"github.com/tcred/tcred/internal/tty"
)

// Exit statuses of exec that are not the command's own, as env(1) has them.
const (
	exitNotExecutable = 126
	exitNotFound      = 127
)

func (a *app) execCmd() *cobra.Command {
	var o getOptions
	cmd := &cobra.Command{
		Use:   "exec [PROFILE] [-- COMMAND [ARG...]]",
		Short: "Run a command with a credential in its environment",
		Long: `Exec runs a command with a short-lived credential in its environment, under every variable
name that Tencent Cloud's tools and S3 tools read. Variables that name other credentials, a
role or a profile are taken out. Without a command it runs your shell. TCRED_PROFILE and
TCRED_EXPIRATION tell the command whose credential it is and when it ends: it is not renewed
while the command runs. --min-ttl says how much life it must have at the start.` + profileHelp,
		Example: `  tcred exec -- tccli cvm DescribeRegions
  tcred exec upload --min-ttl 1h -- terraform apply
  tcred exec upload`,
		Args: func(cmd *cobra.Command, args []string) error {
			before, _ := splitAtDash(cmd, args)
			if n := len(before); n > 1 || n == 1 && cmd.Flags().Changed("profile") {
				return cmdline.Error("tcred exec PROFILE -- COMMAND", "the command stands after --")
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			before, command := splitAtDash(cmd, args)
			w, err := profileOf(cmd, before)
			if err != nil {
				return err
			}
			err = a.exec(cmd.Context(), w.name, o, command)
			if api.CodeOf(err) == api.NoProfile && len(command) == 0 && len(before) > 0 {
				err = meantCommand(err, w.name)
			}
			return w.explain(err)
		},
	}
	o.flags(cmd)
	return cmd
}

// meantCommand is err with another hint if name, which is no profile, is a command.
func meantCommand(err error, name string) error {
	if _, missing := exec.LookPath(name); missing != nil {
		return err
	}
	e := *api.AsError(err)
	e.Hint = "the command stands after --: tcred exec -- " + name
	return &e
}

func splitAtDash(cmd *cobra.Command, args []string) (before, after []string) {
	n := cmd.ArgsLenAtDash()
	if n < 0 {
		return args, nil
	}
	return args[:n], args[n:]
}

// exec finds the command before it asks for a credential, and becomes it.
func (a *app) exec(ctx context.Context, name string, o getOptions, command []string) error {
	ignored := process.IgnoredAtStart()
	for _, s := range ignored {
		if slices.Contains([]os.Signal{os.Interrupt, syscall.SIGTERM, syscall.SIGQUIT}, s) { // of us too, from now on
			signal.Ignore(s)
		}
	}
	opensShell := len(command) == 0
	if opensShell {
		command = []string{shell()}
	}
	path, err := exec.LookPath(command[0])
	if err != nil {
		return a.cannotRun(command[0], err)
	}
	c, err := a.credential(ctx, name, o)
	if err != nil {
		return err
	}
	a.tellEntry(c, opensShell)
	process.HandOver(ignored)
	if err := ctx.Err(); err != nil {
		return err
	}
	return a.cannotRun(command[0], process.Become(path, command, environment(c, a.served)))
}

// environment is that of the command: the caller's, with c and nothing else that leads to a credential.
func environment(c credential.Credential, profile string) []string {
	env := slices.DeleteFunc(c.Environ(os.Environ()), func(kv string) bool {
		return strings.HasPrefix(kv, api.EnvProfile+"=")
	})
	return append(env, api.EnvProfile+"="+profile)
}

// tellEntry tells a person in which profile they are from now on, where they could not tell by themselves: in a new
// shell, and in another profile's command.
func (a *app) tellEntry(c credential.Credential, opensShell bool) {
	outer, nested := os.Getenv(api.EnvProfile), os.Getenv(credential.EnvExpiration) != ""
	if !tty.Is(a.err) || !opensShell && !nested {
		return
	}
	line := fmt.Sprintf("profile %q until %s", a.served, human.Moment(c.Expires, time.Now()))
	switch {
	case nested && outer != "":
		line += fmt.Sprintf(", in place of profile %q", outer)
	case nested:
		line += ", in place of the credential that was in the environment"
	}
	if opensShell {
		line += "; exit ends it"
	}
	a.tell("%s", line)
}

// credential is fetch for a command that needs the parts.
func (a *app) credential(ctx context.Context, name string, o getOptions) (credential.Credential, error) {
	minTTL, err := broker.ParseMinTTL(o.minTTL)
	if err != nil {
		return credential.Credential{}, err
	}
	if o.noDaemon || a.keyIsHere() {
		return a.fetchHere(ctx, name, minTTL)
	}
	return a.daemon().Credential(ctx, name, minTTL)
}

// cannotRun tells a command that is not there from one that cannot run. The status of one that ran passes through.
func (a *app) cannotRun(command string, err error) error {
	if err == nil {
		return nil
	}
	if ended, is := errors.AsType[*exec.ExitError](err); is { // on Windows the command was a child
		return exitStatus(ended.ExitCode())
	}
	if named, is := errors.AsType[*exec.Error](err); is {
		err = named.Err
	}
	code := exitNotExecutable
	if errors.Is(err, exec.ErrNotFound) || errors.Is(err, os.ErrNotExist) {
		code = exitNotFound
		_, there := os.Stat(command)
		err = errors.New("no such command")
		if there == nil {
			err = errors.New("what its first line says runs it is not there")
		}
	}
	fmt.Fprintf(a.err, "%scannot run %q: %v\n", say.ErrorPrefix, a.unsaid(command), err)
	return exitStatus(code)
}

func shell() string {
	if s := os.Getenv("SHELL"); s != "" {
		return s
	}
	return process.DefaultShell
}
