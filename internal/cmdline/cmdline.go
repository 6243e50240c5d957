// Package cmdline says what is wrong with a command line, and what was meant.
package cmdline

import (
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/tcred/tcred/api"
	"github.com/tcred/tcred/internal/human"
)

// Error is an error of the command line: api.BadRequest, with what to type in its place as the hint.
func Error(hint, format string, args ...any) error {
	return &api.Error{Code: api.BadRequest, Message: fmt.Sprintf(format, args...), Hint: hint}
}

// WrapArgs puts cobra's own complaints about arguments into our words.
func WrapArgs(cmd *cobra.Command) {
	for _, c := range cmd.Commands() {
		WrapArgs(c)
		if check := c.Args; check != nil {
			c.Args = func(cmd *cobra.Command, args []string) error {
				err := check(cmd, args)
				if err == nil || api.CodeOf(err) != api.Internal {
					return err
				}
				if cmd.HasSubCommands() {
					return NoCommand(cmd, args[0])
				}
				return Error(cmd.CommandPath()+" --help", "%s takes %s", cmd.CommandPath(), argsFault(cmd, args))
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

// FlagError puts what is wrong with a flag into our words. The value is not repeated: it may be anything.
func FlagError(cmd *cobra.Command, err error) error {
	if words := cmd.Flags().Args(); cmd.HasSubCommands() && len(words) > 0 { // the flag is that of no command of ours
		return NoCommand(cmd, words[0])
	}
	if missing, is := errors.AsType[*pflag.NotExistError](err); is {
		return unknownFlag(cmd, missing)
	}
	return Error(cmd.CommandPath()+" --help", "%s", flagFault(err))
}
