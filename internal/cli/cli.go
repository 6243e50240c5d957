// Package cli is the tcred command, one command a file.
package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/tcred/tcred/api"
	"github.com/tcred/tcred/internal/helper"
	"github.com/tcred/tcred/internal/human"
	"github.com/tcred/tcred/internal/say"
	"github.com/tcred/tcred/internal/sts"
)

// app is what every command works with: where it reads and writes, and what was said on the command line.
type app struct {
	in    io.Reader
	out   io.Writer // the answer
	err   io.Writer // for people
	debug bool
}

// exitStatus ends a command that has said everything already: nothing more is printed.
type exitStatus int

func (e exitStatus) Error() string { return fmt.Sprintf("exit status %d", int(e)) }

// Main runs the command line args, args[0] being the program's name, and returns the exit status. Under the name
// tcred-helper the same binary is the helper, so that one file can be both.
func Main(args []string) int {
	if strings.TrimSuffix(filepath.Base(args[0]), ".exe") == "tcred-helper" {
		return helper.Main(args[1:])
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	// The first ^C ends the command in its own way, a later one whatever it waits for. Some send each signal twice.
	context.AfterFunc(ctx, func() { time.AfterFunc(time.Second, stop) })
	a := &app{in: os.Stdin, out: os.Stdout, err: os.Stderr}
	return a.exit(a.run(ctx, args[1:]))
}

func (a *app) run(ctx context.Context, args []string) error {
	root := a.root()
	var unknown error
	help := root.HelpFunc()
	root.SetHelpFunc(func(cmd *cobra.Command, args []string) {
		if cmd.HasSubCommands() && cmd.Args != nil { // tcred nosuch --help would get its help
			unknown = cmd.Args(cmd, cmd.Flags().Args())
		}
		if unknown == nil {
			help(cmd, args)
		}
	})
	root.SetArgs(args)
	if err := root.ExecuteContext(ctx); err != nil {
		return err
	}
	return unknown
}

// exit says what went wrong and returns the status for it.
func (a *app) exit(err error) int {
	var status exitStatus
	switch {
	case err == nil:
		return say.ExitOK
	case errors.As(err, &status):
		return int(status)
	case errors.Is(err, context.Canceled):
		fmt.Fprintln(a.err, say.ErrorPrefix+"interrupted")
		return say.ExitFailed
	}
	e := nameEnvironment(sts.NameShellProxy(api.AsError(err)))
	fmt.Fprint(a.err, say.Text(e))
	return say.Exit(e)
}

// usage is an error of the command line.
func usage(hint, format string, args ...any) error {
	return &api.Error{Code: api.BadRequest, Message: fmt.Sprintf(format, args...), Hint: hint}
}

// warn tells a person something that stops nothing.
func (a *app) warn(format string, args ...any) {
	fmt.Fprintln(a.err, say.WarningPrefix+human.OneLine(fmt.Sprintf(format, args...)))
}

// tell says what was done.
func (a *app) tell(format string, args ...any) {
	fmt.Fprintln(a.err, "tcred: "+human.OneLine(fmt.Sprintf(format, args...)))
}

func (a *app) root() *cobra.Command {
	root := &cobra.Command{
		Use:   "tcred",
		Short: "Short-lived Tencent Cloud credentials from a key in your keychain",
		Long: `tcred keeps your permanent Tencent Cloud key in the operating system's keychain and
hands tools short-lived, policy-scoped credentials in its place.

  tcred demo             see all of it work, without an account
  tcred init             write a config file
  tcred add              put your key into the keychain
  tcred exec -- CMD      run a tool with short-lived credentials`,
		Version:           versionText(),
		SilenceErrors:     true,
		SilenceUsage:      true,
		CompletionOptions: cobra.CompletionOptions{HiddenDefaultCmd: true},
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return nil
			}
			return noCommand(cmd, args[0])
		},
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	root.SetIn(a.in)
	root.SetOut(a.out)
	root.SetErr(a.err)
	root.SetVersionTemplate("tcred {{.Version}}\n")
	root.PersistentFlags().BoolVar(&a.debug, "debug", os.Getenv(api.EnvLog) == "debug", "say more on stderr")
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		return usage(cmd.CommandPath()+" --help", "%s", flagFault(err))
	})
	root.SuggestionsMinimumDistance = 2
	root.AddCommand(a.commands()...)
	root.SetHelpCommand(a.helpCmd())
	wrapArgs(root)
	complete(root)
	return root
}

// noCommand is the error for a word that is not one of cmd's commands.
func noCommand(cmd *cobra.Command, word string) error {
	whole := strings.TrimPrefix(cmd.CommandPath()+" "+word, "tcred ")
	if near := cmd.SuggestionsFor(word); len(near) > 0 {
		return usage(cmd.CommandPath()+" --help", "no command %q; did you mean %q?", whole, near[0])
	}
	return usage(cmd.CommandPath()+" --help", "no command %q", whole)
}

// wrapArgs puts cobra's own complaints about arguments into our words.
func wrapArgs(cmd *cobra.Command) {
	for _, c := range cmd.Commands() {
		wrapArgs(c)
		if check := c.Args; check != nil {
			c.Args = func(cmd *cobra.Command, args []string) error {
				err := check(cmd, args)
				if err == nil || api.CodeOf(err) != api.Internal {
					return err
				}
				if cmd.HasSubCommands() {
					return noCommand(cmd, args[0])
				}
				return usage(cmd.CommandPath()+" --help", "%s takes %s", cmd.CommandPath(), argsFault(cmd, args))
			}
		}
	}
}

// argsFault is what a command takes, by its Use line, and what it was given.
func argsFault(cmd *cobra.Command, args []string) string {
	switch words := strings.Fields(cmd.Use)[1:]; len(words) {
	case 0:
		return fmt.Sprintf("no argument, not %q", args[0])
	case 1:
		word := strings.ToLower(strings.Trim(words[0], "[]"))
		return fmt.Sprintf("one %s, not %s", word, human.Count(len(args), "argument"))
	default:
		return fmt.Sprintf("%s, not %s", strings.Join(words, " "), human.Count(len(args), "argument"))
	}
}

// flagFault says what is wrong with a flag. The value is not repeated: it may be anything.
func flagFault(err error) string {
	invalid, is := errors.AsType[*pflag.InvalidValueError](err)
	if !is {
		return err.Error()
	}
	takes := "another value" // no flag of ours has another type
	switch invalid.GetFlag().Value.Type() {
	case "bool":
		takes = "no value"
	case "int":
		takes = "a number"
	case "duration":
		takes = "a time such as 8h"
	}
	return fmt.Sprintf("--%s takes %s", invalid.GetFlag().Name, takes)
}
