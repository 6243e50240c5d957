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
	"sync/atomic"
	"syscall"
	"time"
	"unicode"

	"github.com/spf13/cobra"

	"github.com/tcred/tcred/api"
	"github.com/tcred/tcred/internal/cmdline"
	"github.com/tcred/tcred/internal/helper"
	"github.com/tcred/tcred/internal/human"
	"github.com/tcred/tcred/internal/process"
	"github.com/tcred/tcred/internal/say"
	"github.com/tcred/tcred/internal/sts"
)

// app is what every command works with: where it reads and writes, and what was said on the command line.
type app struct {
	in    io.Reader
	out   io.Writer // the answer
	err   io.Writer // for people
	debug bool

	served string                  // the profile that the last credential belongs to
	said   map[string]bool         // what is to be said once
	typed  []string                // the arguments
	crash  atomic.Pointer[os.File] // the log of a daemon in the background, nil without one
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
	signals := []os.Signal{os.Interrupt, syscall.SIGTERM}
	if signal.Ignored(os.Interrupt) { // a script's "&", or its trap '' INT
		signals = signals[1:]
	}
	ctx, stop := signal.NotifyContext(context.Background(), signals...)
	defer stop()
	// The first ^C ends the command in its own way, a later one whatever it waits for. Some send each signal twice.
	context.AfterFunc(ctx, func() { time.AfterFunc(time.Second, stop) })
	a := &app{in: os.Stdin, out: os.Stdout, err: os.Stderr, typed: args[1:]}
	return process.UnlessQuit(func() int {
		status := a.exit(a.run(ctx, args[1:]))
		if status != say.ExitOK && ctx.Err() != nil {
			return say.ExitInterrupted
		}
		return status
	}, a.lastWords)
}

// lastWords is where the stacks of a process go that is asked for them and ends.
func (a *app) lastWords(text []byte) {
	a.err.Write(text) // it ends all the same
	if log := a.crash.Load(); log != nil {
		log.Write(text)
	}
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
		return say.ExitInterrupted
	}
	e := *nameEnvironment(sts.NameShellProxy(api.AsError(err)))
	e.Message, e.Hint = a.unsaid(e.Message), a.unsaid(e.Hint)
	fmt.Fprint(a.err, say.Text(&e))
	return say.Exit(&e)
}

// unsaid is text without the arguments that look like a secret: an error that repeats one shows it on the screen.
func (a *app) unsaid(text string) string {
	for _, word := range strings.FieldsFunc(strings.Join(a.typed, " "), func(r rune) bool {
		return r > unicode.MaxASCII || !unicode.IsLetter(r) && !unicode.IsDigit(r)
	}) {
		if human.LooksSecret(word) {
			text = strings.ReplaceAll(text, word, human.SecretLike)
		}
	}
	return text
}

// warn tells a person something that stops nothing.
func (a *app) warn(format string, args ...any) {
	fmt.Fprintln(a.err, say.WarningPrefix+human.OneLine(a.unsaid(fmt.Sprintf(format, args...))))
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
			return cmdline.NoCommand(cmd, args[0])
		},
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	root.SetIn(a.in)
	root.SetOut(a.out)
	root.SetErr(a.err)
	root.SetVersionTemplate("tcred {{.Version}}\n")
	root.PersistentFlags().BoolVar(&a.debug, "debug", os.Getenv(api.EnvLog) == "debug", "say more on stderr")
	root.SetFlagErrorFunc(cmdline.FlagError)
	root.AddCommand(a.commands()...)
	root.SetHelpCommand(a.helpCmd())
	cmdline.WrapArgs(root)
	complete(root)
	return root
}
