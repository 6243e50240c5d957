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

const (
	maxConfig   = 256 << 10 // bytes
	maxProblems = 100       // nobody reads more, and a broken config is loaded anew at every request
)

// A document is config.toml while it is read, and what was found wrong so far.
type document struct {
	file     string
	raw      []byte       // as it was read
	text     []byte       // without a byte order mark
	lines    *human.Lines // of text
	md       toml.MetaData
	root     table
	problems []Problem
	refusals map[string]Problem           // the first that is no warning, by what it concerns; none is left out
	files    []string                     // that were read, or should have been
	policies map[string]policyFile        // by path
	sums     map[string][sha256.Size]byte // of ca_file and policy files, by path
	parsed   bool                         // it is TOML, or there is no file
}

func newDocument(file string) *document {
	return &document{
		file: file, files: []string{file}, refusals: make(map[string]Problem), policies: make(map[string]policyFile),
		sums: make(map[string][sha256.Size]byte),
	}
}

// read reports whether there is something to look at; a missing file is not, and no problem.
func (d *document) read() bool {
	text, err := readFile(d.file, maxConfig)
	if errors.Is(err, fs.ErrNotExist) {
		d.parsed = true
		return false
	}
	if err != nil {
		d.report(problemOf(d.file, err))
		return false
	}
	d.raw = text
	return d.parse()
}

// parse reports whether raw is TOML, and notes what is wrong with it if not.
func (d *document) parse() bool {
	var err error
	d.text = bytes.TrimPrefix(d.raw, []byte("\ufeff"))
	d.lines = human.LinesOf(d.text)
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
	line, column := d.lines.Position(offset)
	d.report(Problem{d.file, line, column, human.OneLine(message), human.OneLine(hint), warning, concerns})
}

// full reports whether no such problem is kept any more. The first that is no warning always is.
func (d *document) full(warning bool) bool {
	return len(d.problems) == maxProblems && (warning || len(d.refusals) > 0)
}

// report keeps a problem, unless there are enough; the first of whatever it concerns refuses that all the same.
func (d *document) report(p Problem) {
	full := d.full(p.Warning)
	if _, refused := d.refusals[p.concerns]; !refused && !p.Warning {
		d.refusals[p.concerns] = p
	}
	if full {
		return
	}
	d.problems = d.problems[:min(len(d.problems), maxProblems-1)] // an error takes the place of the last warning
	d.problems = append(d.problems, p)
}

// A table is one TOML table. Its values wait undecoded, so that one of a wrong type spoils no other, and its keys are
// compared as they are: decoding into a struct would take "Region" for "region".
type table struct {
	doc    *document
	name   string // "" is the top
	in     *table // nil for the top
	key    string // in that table
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
		return t.start(), 0
	}
	var e toml.ParseError
	err := t.doc.md.PrimitiveDecode(t.values[key], &probe{})
	if errors.As(err, &e) && e.Position.Line > 0 {
		return e.Position.Start, e.Position.Len
	}
	inner, _ := t.inner(key)
	inner.in = nil // its beginning is what is looked for here
	if len(inner.values) == 0 {
		return t.start(), 0
	}
	offset = len(t.doc.text)
	for k := range inner.values {
		at, _ := inner.at(k)
		offset = min(offset, at)
	}
	return offset, 0
}

// start is where t begins.
func (t table) start() (offset int) {
	if t.in != nil {
		offset, _ = t.in.at(t.key)
	}
	return offset
}

// inner is the table under key, if there is one.
func (t table) inner(key string) (inner table, ok bool) {
	inner = table{doc: t.doc, name: strings.TrimPrefix(t.name+"."+key, "."), in: &t, key: key}
	if _, ok := t.value(key).(map[string]any); !ok { // the library would take anything for an empty table
		return inner, false
	}
	err := t.doc.md.PrimitiveDecode(t.values[key], &inner.values)
	return inner, err == nil
}

func (t table) fail(key, message, hint string) { t.report(key, message, hint, false) }
func (t table) warn(key, message, hint string) { t.report(key, message, hint, true) }

// report looks for the place of a problem only if it is kept: to find one, the library reads the whole text.
func (t table) report(key, message, hint string, warning bool) {
	p := Problem{t.doc.file, 0, 0, human.OneLine(message), human.OneLine(hint), warning, t.concerns(key)}
	if !t.doc.full(warning) {
		offset, _ := t.at(key)
		p.Line, p.Column = t.doc.lines.Position(offset)
	}
	t.doc.report(p)
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
	if t.has(key) && !ok {
		offset, _ := t.at(key)
		t.doc.add(inner.name, offset, fmt.Sprintf("%s must be a table, not %s", inner.name, kind(t.value(key))),
			fmt.Sprintf("write [%s]", inner.name), false)
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
	if near := meant(s, words); near != "" {
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
