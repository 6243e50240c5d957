package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"

	"github.com/spf13/cobra"

	"github.com/tcred/tcred/api"
	"github.com/tcred/tcred/credential"
	"github.com/tcred/tcred/internal/broker"
	"github.com/tcred/tcred/internal/say"
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
role or a profile are taken out. Without a command it runs your shell. The credential is not
renewed while the command runs: --min-ttl says how much life it must have at the start.`,
		Example: `  tcred exec -- tccli cvm DescribeRegions
  tcred exec upload --min-ttl 1h -- terraform apply
  tcred exec upload`,
		Args: func(cmd *cobra.Command, args []string) error {
			if before, _ := splitAtDash(cmd, args); len(before) > 1 {
				return usage("tcred exec PROFILE -- COMMAND", "the command stands after --")
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			before, command := splitAtDash(cmd, args)
			name, err := profileArg(before)
			if err != nil {
				return err
			}
			err = a.exec(cmd.Context(), name, o, command)
			if api.CodeOf(err) == api.NoProfile && len(command) == 0 {
				err = meantCommand(err, name)
			}
			return err
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
	if len(command) == 0 {
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
	return a.cannotRun(command[0], become(path, command, c.Environ(os.Environ())))
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

// cannotRun tells a command that is not there from one that cannot run. A status passes through.
func (a *app) cannotRun(command string, err error) error {
	var status exitStatus
	if err == nil || errors.As(err, &status) {
		return err
	}
	if named, is := errors.AsType[*exec.Error](err); is {
		err = named.Err
	}
	code := exitNotExecutable
	if errors.Is(err, exec.ErrNotFound) || errors.Is(err, os.ErrNotExist) {
		code = exitNotFound
		err = errors.New("no such command")
	}
	fmt.Fprintf(a.err, "%scannot run %q: %v\n", say.ErrorPrefix, command, err)
	return exitStatus(code)
}

func shell() string {
	if s := os.Getenv("SHELL"); s != "" {
		return s
	}
	return defaultShell
}
