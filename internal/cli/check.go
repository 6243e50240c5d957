package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"github.com/spf13/cobra"

	"github.com/tcred/tcred/internal/config"
	"github.com/tcred/tcred/internal/human"
	"github.com/tcred/tcred/internal/place/dirs"
	"github.com/tcred/tcred/internal/process"
	"github.com/tcred/tcred/internal/profile"
	"github.com/tcred/tcred/internal/say"
)

func (a *app) checkCmd() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "check",
		Short: "Check config and policies, every problem at once",
		Long: `Check reads config.toml, the policies and the key index as strictly as the daemon does, and prints every
problem on a line of its own with its place, as a compiler would, so that editors can jump there. It asks
nobody on the network. Exit status 1 means that there are errors; warnings alone are fine.`,
		Example: `  tcred check
  tcred check --json`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return a.check(cmd.Context(), asJSON) },
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

// checkedProblem is one problem in the JSON of tcred check.
type checkedProblem struct {
	File     string `json:"file"`
	Line     int    `json:"line,omitempty"` // left out, as column is, if the problem is the file itself
	Column   int    `json:"column,omitempty"`
	Severity string `json:"severity"` // "error" or "warning"
	Message  string `json:"message"`
	Hint     string `json:"hint,omitempty"`
}

func (a *app) check(ctx context.Context, asJSON bool) error {
	process.Harden() // keys of a keystore that can be read without asking come into this process
	p, err := dirs.Find()
	if err != nil {
		return err
	}
	set := profile.Open(profile.Options{ConfigPath: p.Config, Index: indexOf(p), FileDir: p.Keys})
	problems := []checkedProblem{}
	faults := 0
	for _, problem := range set.Check(ctx) {
		c := checked(problem)
		if c.Severity == "error" {
			faults++
		}
		problems = append(problems, c)
	}
	if asJSON {
		err = a.printJSON(problems)
	} else {
		err = printProblems(a.out, problems)
	}
	if err != nil {
		return err
	}
	if faults > 0 {
		a.tell("%s, %s", human.Count(faults, "error"), human.Count(len(problems)-faults, "warning"))
		return exitStatus(say.ExitFailed)
	}
	if _, err := os.Stat(p.Config); errors.Is(err, fs.ErrNotExist) {
		a.tell("there is no %s, so everything is at its default", p.Config)
		return nil
	}
	a.tell("%s is fine; %s", p.Config, human.Count(len(problems), "warning"))
	return nil
}

func checked(p config.Problem) checkedProblem {
	c := checkedProblem{p.File, p.Line, p.Column, "error", p.Message, p.Hint}
	if p.Warning {
		c.Severity = "warning"
	}
	return c
}

// printProblems writes them as compilers do, each with its hint below.
func printProblems(w io.Writer, problems []checkedProblem) error {
	for _, p := range problems {
		place := p.File
		if p.Line > 0 {
			place = fmt.Sprintf("%s:%d:%d", p.File, p.Line, p.Column)
		}
		text := fmt.Sprintf("%s: %s: %s\n", place, p.Severity, p.Message)
		if p.Hint != "" {
			text += fmt.Sprintf("    hint: %s\n", p.Hint)
		}
		if _, err := io.WriteString(w, text); err != nil {
			return fmt.Errorf("writing the answer: %w", err)
		}
	}
	return nil
}
