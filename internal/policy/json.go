package policy

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"
)

// json returns the policy as JSON text of the same length, so that every offset holds in both.
// What people paste but JSON lacks is reported and put right, so that the rules behind it are checked too.
func (c *checker) json() (text []byte, ok bool) {
	switch {
	case len(bytes.TrimSpace(c.src)) == 0:
		c.fail(0, "the policy is empty", `policy = "full" grants the key's own rights`)
		return nil, false
	case !utf8.Valid(c.src):
		c.notUTF8()
		return nil, false
	case json.Valid(c.src):
		return c.src, true
	}
	text = c.mend()
	if err := json.Unmarshal(text, new(json.RawMessage)); err != nil {
		c.notJSON(text, err)
		return nil, false
	}
	return text, true
}

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

// notJSON places a syntax error. encoding/json counts the offending byte in, except at the end of the text.
func (c *checker) notJSON(text []byte, err error) {
	var syntax *json.SyntaxError
	if !errors.As(err, &syntax) {
		c.fail(0, "not JSON: "+err.Error(), "")
		return
	}
	message := syntax.Error()
	if strings.HasPrefix(message, "unexpected end") {
		c.fail(len(bytes.TrimRight(text, " \t\r\n")), "not JSON: the text ends too early", `a closing }, ] or " is missing`)
		return
	}
	offset := int(syntax.Offset) - 1
	if r, size := utf8.DecodeRune(text[offset:]); size > 1 { // encoding/json names its first byte
		_, rest, _ := strings.Cut(message, "' ")
		message = fmt.Sprintf("invalid character %q %s", r, rest)
	}
	c.fail(offset, "not JSON: "+message, syntaxHint(message))
}

func syntaxHint(message string) string {
	switch {
	case strings.Contains(message, "beginning of object key"):
		return "a key stands in double quotes"
	case strings.Contains(message, "in string literal"):
		return "a string ends on the line it began on"
	case strings.Contains(message, "after object key:value pair"), strings.Contains(message, "after array element"):
		return "is a comma missing before it?"
	case strings.Contains(message, "after object key"):
		return "a colon goes between a key and its value"
	case strings.Contains(message, "after top-level value"):
		return "a policy is one object; nothing follows it"
	}
	return ""
}

// A node is one JSON value with its place in the text.
type node struct {
	at      int
	kind    string // "object", "list", "string", "number", "bool", "null"
	text    string // of a string
	members []member
	items   []node
}

type member struct {
	at    int
	key   string
	value node
}

// parse reads text, which must be valid JSON.
func parse(text []byte) node {
	r := reader{text: text, dec: json.NewDecoder(bytes.NewReader(text))}
	r.dec.UseNumber() // 1e999 is JSON
	return r.node()
}

type reader struct {
	text []byte
	dec  *json.Decoder
}

// next returns a token and where it begins; nil at the end and for null.
func (r *reader) next() (at int, token json.Token) {
	at = int(r.dec.InputOffset())
	for at < len(r.text) && strings.IndexByte(" \t\r\n,:", r.text[at]) >= 0 {
		at++
	}
	token, _ = r.dec.Token()
	return at, token
}

func (r *reader) node() node {
	at, token := r.next()
	n := node{at: at}
	switch token := token.(type) {
	case string:
		n.kind, n.text = "string", token
	case json.Number:
		n.kind = "number"
	case bool:
		n.kind = "bool"
	case json.Delim:
		r.fill(&n, token)
	default:
		n.kind = "null"
	}
	return n
}

// fill reads what stands inside an object or a list.
func (r *reader) fill(n *node, open json.Delim) {
	n.kind = "list"
	if open == '{' {
		n.kind = "object"
	}
	for r.dec.More() {
		if open == '{' {
			at, key := r.next()
			name, _ := key.(string)
			n.members = append(n.members, member{at, name, r.node()})
			continue
		}
		n.items = append(n.items, r.node())
	}
	r.next() // the closing delimiter
}
