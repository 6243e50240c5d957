package human

import (
	"slices"
	"unicode/utf8"
)

// Lines says where an offset of a text stands as people count: by lines and columns. It reads the text once for all
// offsets.
type Lines struct {
	text   []byte
	starts []int // of each line
}

// LinesOf reads text.
func LinesOf(text []byte) *Lines {
	l := &Lines{text: text, starts: []int{0}}
	for i, b := range text {
		if b == '\n' {
			l.starts = append(l.starts, i+1)
		}
	}
	return l
}

// Position is the line and the column of a byte offset, from 1; columns count runes. An offset inside a rune is that
// rune's. One outside the text is at its nearer end.
func (l *Lines) Position(offset int) (line, column int) {
	offset = min(max(offset, 0), len(l.text))
	for back := 1; back < utf8.UTFMax && back <= offset; back++ {
		if _, size := utf8.DecodeRune(l.text[offset-back:]); size > back {
			offset -= back
			break
		}
	}
	line, found := slices.BinarySearch(l.starts, offset)
	if found {
		line++
	}
	return line, 1 + utf8.RuneCount(l.text[l.starts[line-1]:offset])
}
