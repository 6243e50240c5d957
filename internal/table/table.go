// Package table prints cells in columns that fit a terminal.
package table

import (
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"github.com/tcred/tcred/internal/human"
)

// Table is what a command shows in columns. Without a Header its first column names what stands in the second.
type Table struct {
	Header []string
	rows   [][]string
}

// Empty says whether t has no row.
func (t *Table) Empty() bool { return len(t.rows) == 0 }

// Add adds a row. Whoever wrote its cells, they are safe on a terminal.
func (t *Table) Add(cells ...string) {
	for i, cell := range cells {
		cells[i] = human.OneLine(cell)
	}
	t.rows = append(t.rows, cells)
}

// gap is between two columns.
const gap = "  "

// Print writes t in columns, or, where those are wider than width, line by line below each other. Width 0 is any.
func (t Table) Print(w io.Writer, width int) error {
	rows := t.rows
	if t.Header != nil {
		rows = append([][]string{t.Header}, rows...)
	}
	text := columns(rows)
	if width > 0 && widest(text) > width {
		text = t.stacked(width)
	}
	if _, err := io.WriteString(w, text); err != nil {
		return fmt.Errorf("writing the answer: %w", err)
	}
	return nil
}

// columns is rows with their cells below each other.
func columns(rows [][]string) string {
	var widths []int
	for _, row := range rows {
		for i, cell := range row {
			if i == len(widths) {
				widths = append(widths, 0)
			}
			widths[i] = max(widths[i], utf8.RuneCountInString(cell))
		}
	}
	var text strings.Builder
	for _, row := range rows {
		line := ""
		for i, cell := range row {
			line += cell + strings.Repeat(" ", widths[i]-utf8.RuneCountInString(cell)) + gap
		}
		text.WriteString(strings.TrimRight(line, " ") + "\n")
	}
	return text.String()
}

func widest(text string) (width int) {
	for line := range strings.Lines(text) {
		width = max(width, utf8.RuneCountInString(strings.TrimSuffix(line, "\n")))
	}
	return width
}

// stacked is one cell a line, with its column's name, below its row's first one. Without a header the last column alone
// is broken, at its blanks.
func (t Table) stacked(width int) string {
	if t.Header == nil {
		return hanging(t.rows, width)
	}
	var text strings.Builder
	for _, row := range t.rows {
		cells := hanging(named(t.Header[1:], row[1:]), width-len(gap))
		text.WriteString(row[0] + "\n" + gap + strings.ReplaceAll(strings.TrimSuffix(cells, "\n"), "\n", "\n"+gap) + "\n")
	}
	return text.String()
}

// hanging is columns with the last one in lines that end at width.
func hanging(rows [][]string, width int) string {
	var broken [][]string
	for _, row := range rows {
		last := len(row) - 1
		for i, line := range wrapped(row[last], width-widest(columns(firsts(rows)))-len(gap)) {
			if i > 0 {
				row = make([]string, last)
			}
			broken = append(broken, append(row[:last:last], line))
		}
	}
	return columns(broken)
}

// firsts is all columns but the last.
func firsts(rows [][]string) (cut [][]string) {
	for _, row := range rows {
		cut = append(cut, row[:len(row)-1])
	}
	return cut
}

// named is cells with the names of their columns in small letters.
func named(names, cells []string) (rows [][]string) {
	for i, cell := range cells {
		rows = append(rows, []string{strings.ToLower(names[i]), cell})
	}
	return rows
}

// wrapped is text in lines of at most width. A word, such as a path, is never broken.
func wrapped(text string, width int) (lines []string) {
	line := ""
	for _, word := range strings.Fields(text) {
		if line != "" && utf8.RuneCountInString(line+" "+word) > width {
			lines, line = append(lines, line), ""
		}
		line = strings.TrimPrefix(line+" "+word, " ")
	}
	return append(lines, line)
}

// Prose is text on one line behind indent, or on more below each other, so that none is wider than width. Width 0 is
// any.
func Prose(text, indent string, width int) string {
	text = human.OneLine(text)
	if width == 0 || utf8.RuneCountInString(indent+text) <= width {
		return indent + text + "\n"
	}
	return indent + strings.Join(wrapped(text, width-len(indent)-len(gap)), "\n"+indent+gap) + "\n"
}
