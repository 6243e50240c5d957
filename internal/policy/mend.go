package policy

import (
	"bytes"
	"fmt"
	"strings"
	"unicode/utf8"
)

// quotes are what people's editors and input methods type in place of ".
const quotes = "“”„‟＂‘’'"

// lookalikes stand in for JSON's punctuation and for the blank.
var lookalikes = map[rune]byte{
	'：': ':', '，': ',', '、': ',', '｛': '{', '｝': '}', '［': '[', '］': ']', '【': '[', '】': ']',
	'\u00a0': ' ', '\u3000': ' ',
}

// A mender turns text that is almost JSON into JSON of the same length and reports what it changes.
type mender struct {
	*checker
	out   []byte
	comma int // where a comma stands behind which only blanks came so far; -1: there is none
}

func (c *checker) mend() []byte {
	m := &mender{checker: c, out: bytes.Clone(c.src), comma: -1}
	for i := 0; i < len(m.src); {
		i += m.step(i)
	}
	return m.out
}

// step deals with what begins at i, outside every string, and returns its length.
func (m *mender) step(i int) int {
	r, size := utf8.DecodeRune(m.src[i:])
	switch ascii, alike := lookalikes[r]; {
	case r == '\ufeff':
		m.fail(i, "a byte-order mark, which JSON does not have", "save the policy as UTF-8 without BOM")
		m.put(i, size, ' ')
	case alike:
		m.fail(i, lookalike(r), fmt.Sprintf("type %q instead", string(ascii)))
		m.put(i, size, ascii)
		m.punctuation(i, ascii)
	case r == '"':
		m.comma = -1
		return m.text(i, size)
	case strings.ContainsRune(quotes, r):
		m.comma = -1
		m.fail(i, lookalike(r), `type " instead`)
		m.put(i, size, ' ')
		m.out[i+size-1] = '"' // the blanks stay outside the string
		return m.text(i, size)
	case r == '#', r == '/':
		return m.comment(i)
	case r < utf8.RuneSelf:
		m.punctuation(i, byte(r))
	}
	return size
}

func lookalike(r rune) string {
	switch r {
	case '\u00a0', '\u3000':
		return "a blank that is not JSON's"
	case '\'':
		return "a single quote"
	case '‘', '’', '“', '”', '„', '‟':
		return fmt.Sprintf("a typographic quote %c", r)
	}
	return fmt.Sprintf("a full-width %c", r)
}

// put writes b and blanks over the size bytes at i.
func (m *mender) put(i, size int, b byte) {
	for j := range size {
		m.out[i+j] = ' '
	}
	m.out[i] = b
}

// punctuation watches for a comma with nothing behind it.
func (m *mender) punctuation(i int, b byte) {
	switch b {
	case ' ', '\t', '\r', '\n':
	case ',':
		m.comma = i
	case '}', ']':
		if m.comma >= 0 {
			m.fail(m.comma, fmt.Sprintf("a comma with nothing after it but %q", string(b)), "delete the comma")
			m.out[m.comma] = ' '
		}
		m.comma = -1
	default:
		m.comma = -1
	}
}

// comment blanks a comment out.
func (m *mender) comment(i int) int {
	rest := m.src[i:]
	mark, end := "#", bytes.IndexByte(rest, '\n')
	switch {
	case bytes.HasPrefix(rest, []byte("/*")):
		mark, end = "/*", bytes.Index(rest[2:], []byte("*/"))
		if end >= 0 {
			end += len("/**/")
		}
	case bytes.HasPrefix(rest, []byte("//")):
		mark = "//"
	case rest[0] == '/':
		m.comma = -1
		return 1
	}
	if end < 0 {
		end = len(rest)
	}
	m.fail(i, "a "+mark+" comment, which JSON does not have", "delete it")
	for j, b := range rest[:end] {
		if b != '\n' {
			m.out[i+j] = ' '
		}
	}
	return end
}

// text passes over a string whose opening quote of size bytes stands at i. A string ends on its line.
// A wrong opening quote is closed by any quote, a right one also by a wrong quote where a string may end.
func (m *mender) text(i, size int) int {
	opener, _ := utf8.DecodeRune(m.src[i:])
	for j := i + size; j < len(m.src); {
		r, size := utf8.DecodeRune(m.src[j:])
		switch {
		case r == '\n':
			return j - i
		case r == '\\' && j+1 < len(m.src):
			_, escaped := utf8.DecodeRune(m.src[j+1:])
			j += 1 + escaped
			continue
		case r == '"':
			return j + size - i
		case strings.ContainsRune(quotes, r) && (opener != '"' || endsString(m.src[j+size:])):
			if opener == '"' {
				m.fail(j, lookalike(r), `type " instead`)
			}
			m.put(j, size, '"')
			return j + size - i
		}
		j += size
	}
	return len(m.src) - i
}

// endsString reports whether rest begins as the text behind a string does.
func endsString(rest []byte) bool {
	rest = bytes.TrimLeft(rest, " \t\r")
	if len(rest) == 0 {
		return true
	}
	r, _ := utf8.DecodeRune(rest)
	return strings.ContainsRune(":,}]：，｝］\n", r)
}
