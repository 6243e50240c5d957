package policy

import (
	"bytes"
	"encoding/json"
	"strings"
	"unicode/utf8"
)

// isJSON reports whether the policy is JSON but for its comments, and what keeps it from being that.
func (c *checker) isJSON() bool {
	var comment int
	c.src, comment, c.lastComment = withoutComments(c.src)
	if len(bytes.TrimSpace(c.src)) == 0 {
		c.fail(0, "the policy is empty", "write one like "+examplePolicy+`; the key's own rights are policy = "full"`)
		return false
	}
	if !utf8.Valid(c.src) {
		c.notUTF8()
		return false
	}
	if comment >= 0 {
		c.warn(comment, "a // comment, which JSON does not have: STS gets the policy without its comments",
			"delete them if anything else reads this policy")
	}
	if err := json.Unmarshal(c.src, new(json.RawMessage)); err != nil {
		c.notJSON(err)
		return false
	}
	return true
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
