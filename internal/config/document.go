package config

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/BurntSushi/toml"

	"github.com/tcred/tcred/internal/human"
)

const maxConfig = 256 << 10 // bytes

// A document is config.toml while it is read, and what was found wrong so far.
type document struct {
	file     string
	raw      []byte // as it was read
	text     []byte // without a byte order mark
	md       toml.MetaData
	root     table
	problems []Problem
	files    []string
	parsed   bool                         // it is TOML, or there is no file
	sums     map[string][sha256.Size]byte // of the files it names, by path
}

// read reports whether there is something to look at; a missing file is not, and no problem.
func (d *document) read() bool {
	text, err := readFile(d.file, maxConfig)
	if errors.Is(err, fs.ErrNotExist) {
		d.parsed = true
		return false
	}
	if err != nil {
		d.problems = append(d.problems, problemOf(d.file, err))
		return false
	}
	d.raw = text
	return d.parse()
}

// parse reports whether raw is TOML, and notes what is wrong with it if not.
func (d *document) parse() bool {
	var err error
	d.text = bytes.TrimPrefix(d.raw, []byte("\ufeff"))
	d.root = table{doc: d}
	d.md, err = toml.Decode(string(d.text), &d.root.values)
	if err != nil {
		d.syntax(err)
	}
	d.parsed = err == nil
	return d.parsed
}

func (d *document) syntax(err error) {
	offset, message := 0, strings.TrimPrefix(err.Error(), "toml: ")
	if e := (toml.ParseError{}); errors.As(err, &e) {
		offset, message = e.Position.Start, e.Message
	}
	if strings.Contains(message, "hexadecimal") {
		message, _, _ = strings.Cut(message, ", but got") // the string from its start: the proxy's may hold a password
	}
	hint := ""
	switch {
	case strings.ContainsAny(message, "“”＂‘’"):
		hint = `type " instead`
	case strings.Contains(message, "expected value"), strings.Contains(message, "to end with a newline"):
		hint = `a string stands in quotes, as in duration = "2h"`
	}
	d.add("", offset, "not TOML: "+lowerFirst(strings.TrimSuffix(message, ".")), hint, false)
}

// lowerFirst begins a sentence in lower case, unless with an abbreviation: TOML.
func lowerFirst(s string) string {
	first, size := utf8.DecodeRuneInString(s)
	if second, _ := utf8.DecodeRuneInString(s[size:]); unicode.IsUpper(second) {
		return s
	}
	return string(unicode.ToLower(first)) + s[size:]
}

// add notes a problem at an offset of config.toml; concerns is as in Problem.
func (d *document) add(concerns string, offset int, message, hint string, warning bool) {
	line, column := d.position(offset)
	d.problems = append(d.problems, Problem{d.file, line, column, human.OneLine(message), human.OneLine(hint), warning, concerns})
}

func (d *document) position(offset int) (line, column int) {
	before := d.text[:min(max(offset, 0), len(d.text))] // the library says -1 of a control character at the start
	start := bytes.LastIndexByte(before, '\n') + 1
	return 1 + bytes.Count(before, []byte{'\n'}), 1 + utf8.RuneCount(before[start:])
}

// A table is one TOML table. Its values wait undecoded, so that one of a wrong type spoils no other, and its keys are
// compared as they are: decoding into a struct would take "Region" for "region".
type table struct {
	doc    *document
	name   string // "" is the top
	start  int    // offset
	values map[string]toml.Primitive
}

func (t table) has(key string) bool { _, ok := t.values[key]; return ok }

func (t table) keys() []string { return slices.Sorted(maps.Keys(t.values)) }

// value is what stands under key, nil if it is absent.
func (t table) value(key string) (v any) {
	if t.has(key) {
		_ = t.doc.md.PrimitiveDecode(t.values[key], &v) // everything decodes into any
	}
	return v
}

// probe fails to decode, because only a decoding error tells where a value stands.
type probe struct{}

func (probe) Error() string              { return "" }
func (*probe) UnmarshalTOML(_ any) error { return probe{} }

// at is where the value of key begins, behind its quote if it is a string, and how long it is as written.
// A table without a line of its own is where its first key is; what is absent is where t begins.
func (t table) at(key string) (offset, length int) {
	if !t.has(key) {
		return t.start, 0
	}
	var e toml.ParseError
	err := t.doc.md.PrimitiveDecode(t.values[key], &probe{})
	if errors.As(err, &e) && e.Position.Line > 0 {
		return e.Position.Start, e.Position.Len
	}
	inner, _ := t.inner(key)
	if len(inner.values) == 0 {
		return t.start, 0
	}
	offset = len(t.doc.text)
	for k := range inner.values {
		at, _ := inner.at(k)
		offset = min(offset, at)
	}
	return offset, 0
}

// inner is the table under key, if there is one.
func (t table) inner(key string) (inner table, ok bool) {
	inner = table{doc: t.doc, name: strings.TrimPrefix(t.name+"."+key, ".")}
	if _, ok := t.value(key).(map[string]any); !ok { // the library would take anything for an empty table
		return inner, false
	}
	err := t.doc.md.PrimitiveDecode(t.values[key], &inner.values)
	return inner, err == nil
}

func (t table) fail(key, message, hint string) { t.note(key, message, hint, false) }

func (t table) warn(key, message, hint string) { t.note(key, message, hint, true) }

func (t table) note(key, message, hint string, warning bool) {
	offset, _ := t.at(key)
	t.doc.add(t.concerns(key), offset, message, hint, warning)
}

// concerns is what a problem with key is about: the table, or at the top the setting itself.
func (t table) concerns(key string) string {
	if t.name == "" {
		return key
	}
	return t.name
}

// sub is the table under key, without values if it is absent or something else.
func (t table) sub(key string) table {
	inner, ok := t.inner(key)
	inner.start, _ = t.at(key)
	if t.has(key) && !ok {
		message, hint := fmt.Sprintf("%s must be a table, not %s", inner.name, kind(t.value(key))), fmt.Sprintf("write [%s]", inner.name)
		t.doc.add(inner.name, inner.start, message, hint, false)
	}
	return inner
}

// text is the string under key, "" if it is absent or something is wrong with it.
func (t table) text(key string) string {
	if !t.has(key) {
		return ""
	}
	s, ok := t.value(key).(string)
	switch {
	case !ok:
		t.fail(key, fmt.Sprintf("%s must be a string, not %s", key, kind(t.value(key))), "write it in quotes")
	case s == "":
		t.fail(key, key+" is empty", "leave the line out for the default")
	}
	return s
}

// path is the path under key, relative to config.toml, "" if it is absent or wrong.
func (t table) path(key string) string {
	p := t.text(key)
	switch {
	case p == "":
		return ""
	case strings.HasPrefix(p, "~"), strings.HasPrefix(p, "$"):
		t.fail(key, fmt.Sprintf("%s begins with %q, which is not expanded", key, p[:1]), "write the whole path")
		return ""
	case strings.ContainsFunc(p, unicode.IsControl):
		t.fail(key, key+" has a control character", "")
		return ""
	case filepath.IsAbs(p):
		return filepath.Clean(p)
	}
	return filepath.Join(filepath.Dir(t.doc.file), p)
}

// choice is one of several words, "" if it is absent or wrong.
func (t table) choice(key string, words []string) string {
	s := t.text(key)
	if s == "" || slices.Contains(words, s) {
		return s
	}
	hint := fmt.Sprintf("write %q", words[0])
	if near := nearest(s, words); near != "" {
		hint = fmt.Sprintf("did you mean %q?", near)
	}
	t.fail(key, fmt.Sprintf("%s must be one of %s, not %q", key, strings.Join(words, ", "), s), hint)
	return ""
}

// kind names a TOML value's type to a person.
func kind(v any) string {
	switch v.(type) {
	case string:
		return "a string"
	case int64, float64:
		return "a number"
	case bool:
		return "true or false"
	case map[string]any:
		return "a table"
	case []any, []map[string]any:
		return "a list"
	}
	return "a date"
}
