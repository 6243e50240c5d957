package config

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/tcred/tcred/api"
	"github.com/tcred/tcred/internal/human"
)

// A Problem is one thing wrong with config.toml or a file it names.
type Problem struct {
	File         string
	Line, Column int    // from 1, columns in runes; 0 if the problem is the file itself
	Message      string // one line, lower case, no period, no secret
	Hint         string // what to do about it; may be empty
	Warning      bool   // the config is usable in spite of it

	concerns string // the setting at the top, or the table, that it is in; "" is the whole file
}

// String is "file:line:column: message".
func (p Problem) String() string {
	if p.Line == 0 {
		return fmt.Sprintf("%s: %s", human.OneLine(p.File), p.Message)
	}
	return fmt.Sprintf("%s:%d:%d: %s", human.OneLine(p.File), p.Line, p.Column, p.Message)
}

// Invalid is a config that does not load.
type Invalid struct {
	Problems []Problem // warnings too, by file, line and column
	Files    []string  // that were read, or should have been: a change to one of them is a reason to load again
}

// Error is every problem on a line of its own.
func (e *Invalid) Error() string {
	lines := make([]string, len(e.Problems))
	for i, p := range e.Problems {
		lines[i] = p.String()
	}
	return strings.Join(lines, "\n")
}

// err sorts the problems and is nil if they are all warnings.
func (d *document) err() error {
	sortProblems(d.problems)
	return d.errorOf(d.problems)
}

// sortProblems puts problems in the order of their places.
func sortProblems(problems []Problem) {
	slices.SortStableFunc(problems, func(a, b Problem) int {
		return cmp.Or(cmp.Compare(a.File, b.File), a.Line-b.Line, a.Column-b.Column)
	})
}

// errorOf is the first of these problems that is no warning, as the error for all of them; nil if there is none.
func (d *document) errorOf(problems []Problem) error {
	first := slices.IndexFunc(problems, func(p Problem) bool { return !p.Warning })
	if first < 0 {
		return nil
	}
	e := &api.Error{
		Code:    api.ConfigInvalid,
		Message: problems[first].String(),
		Hint:    problems[first].Hint,
		Cause:   &Invalid{problems, d.files},
	}
	if more := len(problems) - 1; more > 0 {
		e.Message += fmt.Sprintf(" (%d more)", more)
		e.Hint = strings.TrimPrefix(e.Hint+"; tcred check shows all problems", "; ")
	}
	return e
}
