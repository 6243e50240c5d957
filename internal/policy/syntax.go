package policy

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"
)

// quotes are what people's editors and input methods type in place of ".
const quotes = "“”„‟＂‘’'"

// lookalikes are written by people's input methods and word processors in place of these characters of JSON.
var lookalikes = map[rune]byte{
	'：': ':', '，': ',', '、': ',', '｛': '{', '｝': '}', '［': '[', '］': ']', '【': '[', '】': ']',
	'\u00a0': ' ', '\u3000': ' ',
}

// blanks are JSON's.
const blanks = " \t\r\n"

func (c *checker) notUTF8() {
	if bytes.HasPrefix(c.src, []byte("\xff\xfe")) || bytes.HasPrefix(c.src, []byte("\xfe\xff")) {
		c.fail(0, "the policy is UTF-16 text", "save it as UTF-8 without a byte-order mark")
		return
	}
	offset := 0
	for {
		r, size := utf8.DecodeRune(c.src[offset:])
		if r == utf8.RuneError && size <= 1 {
			break
		}
		offset += size
	}
	c.fail(offset, fmt.Sprintf("byte 0x%02x is not UTF-8 text", c.src[offset]), "save it as UTF-8")
}

// notJSON reports where the text stops being JSON, and what to write there. Nothing behind it can be checked.
func (c *checker) notJSON(err error) {
	var syntax *json.SyntaxError
	if !errors.As(err, &syntax) {
		c.fail(0, "not JSON: "+err.Error(), notJSONHint)
		return
	}
	message, offset := syntax.Error(), int(syntax.Offset)-1 // encoding/json counts the wrong byte in
	atEnd := strings.HasPrefix(message, "unexpected end")
	if atEnd {
		offset = len(bytes.TrimRight(c.src, blanks))
	}
	inString := strings.Contains(message, "in string")
	switch {
	case c.wrongClosingQuote(offset):
	case atEnd && c.lastComment >= offset:
		c.fail(offset, "not JSON: the text ends too early", "a closing }, ] or \" is missing, or stands behind //: a "+
			"comment takes the rest of its line")
	case atEnd:
		c.fail(offset, "not JSON: the text ends too early", `a closing }, ] or " is missing`)
	case !inString && c.notOfJSON(offset):
	default:
		if r, size := utf8.DecodeRune(c.src[offset:]); size > 1 { // encoding/json shows its first byte
			_, rest, _ := strings.Cut(message, "' ")
			message = fmt.Sprintf("invalid character %q %s", r, rest)
		}
		c.fail(offset, "not JSON: "+message, syntaxHint(message))
	}
}

// wrongClosingQuote reports a quote of another kind in the last string before end, if the string should end there.
func (c *checker) wrongClosingQuote(end int) bool {
	from, to := lastString(c.src[:end])
	for i, r := range string(c.src[from:to]) {
		if rest := c.src[from+i+utf8.RuneLen(r):]; strings.ContainsRune(quotes, r) && endsString(rest) {
			c.fail(from+i, lookalike(r), `type " instead`)
			return true
		}
	}
	return false
}

// lastString is where the text of the last string stands in JSON that is cut off, perhaps inside that string.
func lastString(text []byte) (from, to int) {
	for i := 0; i < len(text); i++ {
		if text[i] != '"' {
			continue
		}
		from = i + 1
		for i++; i < len(text) && text[i] != '"'; i++ {
			if text[i] == '\\' {
				i++
			}
		}
		to = min(i, len(text))
	}
	return from, to
}

// endsString reports whether rest begins like the text after a string.
func endsString(rest []byte) bool {
	rest = bytes.TrimLeft(rest, " \t\r")
	r, size := utf8.DecodeRune(rest)
	return size == 0 || strings.ContainsRune(":,}]：，｝］\n", r)
}

// notOfJSON reports what people write at offset in place of JSON, outside a string.
func (c *checker) notOfJSON(offset int) bool {
	r, _ := utf8.DecodeRune(c.src[offset:])
	ascii, alike := lookalikes[r]
	comment := commentMark(c.src[offset:])
	before := bytes.TrimRight(c.src[:offset], blanks)
	switch {
	case r == '\ufeff':
		c.fail(offset, "a byte-order mark, which JSON does not have", "save the policy as UTF-8 without BOM")
	case alike:
		c.fail(offset, lookalike(r), fmt.Sprintf("type %q instead", string(ascii)))
	case strings.ContainsRune(quotes, r):
		c.fail(offset, lookalike(r), `type " instead`)
	case comment != "":
		c.fail(offset, "a "+comment+" comment, which JSON does not have", "delete it")
	case (r == '}' || r == ']') && bytes.HasSuffix(before, []byte(",")):
		c.fail(len(before)-1, fmt.Sprintf("a comma with nothing after it but %q", string(r)), "delete the comma")
	default:
		return false
	}
	return true
}

// commentMark is how the comment at the beginning of text begins; "" if none is there. Those with // are gone already.
func commentMark(text []byte) string {
	for _, mark := range []string{"#", "/*"} {
		if bytes.HasPrefix(text, []byte(mark)) {
			return mark
		}
	}
	return ""
}

// lookalike names a character to a person who takes it for another.
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

// notJSONHint is said where nothing tells what was meant.
const notJSONHint = "JSON has objects {…}, lists […], strings in double quotes, numbers, true, false and null"

func syntaxHint(message string) string {
	switch {
	case strings.Contains(message, "beginning of object key"):
		return "a key stands in double quotes"
	case strings.Contains(message, "in string literal"):
		return "a string ends on the line it began on"
	case strings.Contains(message, "in string escape"):
		return `write \\ for a backslash`
	case strings.Contains(message, "after object key:value pair"), strings.Contains(message, "after array element"):
		return "is a comma missing before it?"
	case strings.Contains(message, "after object key"):
		return "a colon goes between a key and its value"
	case strings.Contains(message, "after top-level value"):
		return "a policy is one object; nothing follows it"
	}
	return notJSONHint
}
