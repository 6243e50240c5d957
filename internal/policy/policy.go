// Package policy checks a CAM policy before it is sent to STS, whose answer to a bad one names neither line nor reason.
//
// The rules are those of CAM's "Element Reference", "Syntax Structure" and "Resource Description Method" pages,
// narrowed to what GetFederationToken takes: no principal. What those pages rule out is an error. What they allow, but
// hardly means what its author wanted, is a warning.
package policy

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"unicode/utf8"

	"github.com/tcred/tcred/internal/human"
)

// Full is the policy that takes nothing away: a credential under it has its key's own rights.
const Full = `{"version":"2.0","statement":[{"effect":"allow","action":"*","resource":"*"}]}`

// DenyAll is the policy that grants nothing: a credential issued under it proves a key and can do no harm.
const DenyAll = `{"version":"2.0","statement":[{"effect":"deny","action":"*","resource":"*"}]}`

// A Finding is one thing wrong with a policy, and where.
type Finding struct {
	Line, Column int    // from 1; columns count runes
	Message      string // one line, lower case, no period
	Hint         string // what to do about it; may be empty
	Warning      bool   // STS takes the policy in spite of it, as far as we know
}

// maxFindings is how many findings a policy has at most. Nobody reads more, and each is looked at wherever the policy
// is used.
const maxFindings = 100

// most is how many bytes a policy has at most in CAM itself. STS publishes no limit, and has codes for one.
const most = 6144

// Check reports what is wrong with a policy, in the order of the text: all of it, up to 100 findings. Of a text that is
// not JSON it reports the first place where it is not; comments from // to the end of the line are left out of account.
// A policy without findings, or with warnings alone, is one that [Compact] takes.
func Check(src []byte) []Finding {
	c := &checker{src: src, lines: human.LinesOf(src)}
	if c.isJSON() {
		root := parse(c.src)
		c.duplicates(root)
		c.policy(root)
		c.length()
	}
	slices.SortStableFunc(c.findings, func(a, b Finding) int {
		if a.Line != b.Line {
			return a.Line - b.Line
		}
		return a.Column - b.Column
	})
	return c.findings
}

// Compact returns the policy as it is sent: on one line, without its comments, its keys in their order and nothing
// escaped that was not.
func Compact(src []byte) (string, error) {
	var b bytes.Buffer
	clean, _, _ := withoutComments(src)
	if err := json.Compact(&b, clean); err != nil {
		return "", fmt.Errorf("compacting a policy: %w", err)
	}
	return b.String(), nil
}

type checker struct {
	src         []byte // blanks stand for its comments
	lastComment int    // where the last of them begins; -1 without one
	lines       *human.Lines
	findings    []Finding
	refused     bool // a finding is no warning
}

func (c *checker) fail(offset int, message, hint string) { c.add(offset, message, hint, false) }
func (c *checker) warn(offset int, message, hint string) { c.add(offset, message, hint, true) }

// add keeps a finding, if there is room for it. One that refuses the policy always has room: it takes a warning's.
func (c *checker) add(offset int, message, hint string, warning bool) {
	if len(c.findings) == maxFindings {
		if warning || c.refused {
			return
		}
		c.findings = c.findings[:maxFindings-1]
	}
	c.refused = c.refused || !warning
	line, column := c.lines.Position(offset)
	c.findings = append(c.findings, Finding{line, column, message, hint, warning})
}

// length warns of a policy that CAM itself would not store.
func (c *checker) length() {
	if text, err := Compact(c.src); err == nil && len(text) > most {
		c.warn(0, fmt.Sprintf("the policy has %d bytes; CAM stores none above %d, and STS may take none either", len(text),
			most), "fewer statements, or wildcards in place of long lists")
	}
}

// quote shows a piece of the policy on one line and not at length.
func quote(s string) string {
	const shown = 60
	if utf8.RuneCountInString(s) > shown {
		s = string([]rune(s)[:shown]) + "…"
	}
	return fmt.Sprintf("%q", s)
}
