package config

import (
	"bytes"
	"cmp"
	"fmt"
	"maps"
	"reflect"
	"regexp"
	"slices"
	"strings"

	"github.com/BurntSushi/toml"

	"github.com/tcred/tcred/api"
)

// A Change is one line of config.toml that becomes another. Old or New is "" where a line is added or taken away.
type Change struct{ Old, New string }

// rewriteKeystore makes text, which is TOML, say backend and, unless it is "", passphraseFile under [keystore].
// Settings that do not go with that backend become comments; in an inline table, which can have none, they go. With
// noFile passphrase_file goes in any case. Every other byte stays.
func rewriteKeystore(text []byte, backend, passphraseFile string, noFile bool) ([]byte, error) {
	k := scanKeystore(string(text))
	var edits []edit
	whole := false // something is added or dropped, not only given another value
	for i, s := range []struct {
		name, value string
		drop        bool
	}{
		{"backend", backend, false},
		{"passphrase_file", passphraseFile, noFile || backend != "file"},
		{"dir", "", backend != "dir"},
	} {
		at, there := k.settings[s.name]
		switch {
		case there && s.drop:
			edits = append(edits, k.dropped(at))
			delete(k.settings, s.name)
		case s.drop || s.value == "" || there && saysAlready(at.written, s.value):
			continue
		case there:
			edits = append(edits, edit{at.start, at.end, quoted(s.value)})
			at.written = quoted(s.value)
			k.settings[s.name] = at
			continue
		default:
			edits = append(edits, k.added(s.name, s.value))
			k.settings[s.name] = settingText{line: -1, // it has none yet
				start: i - len(keystoreKeys), written: quoted(s.value)}
		}
		whole = true
	}
	if k.inline >= 0 && whole {
		edits = []edit{k.inlineAnew()}
	}
	changed := apply(k.text, edits)
	if !sameButKeystore(text, changed, backend, passphraseFile) {
		return nil, &api.Error{
			Code:    api.ConfigInvalid,
			Message: "[keystore] is written in a way that cannot be changed safely; it was not changed",
			Hint:    fmt.Sprintf("write backend = %q there, then run this again", backend),
		}
	}
	return changed, nil
}

// quoted is a string as TOML has it. What is not printable is refused before.
func quoted(s string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(s) + `"`
}

// saysAlready reports whether a value as written in config.toml is s.
func saysAlready(written, s string) bool {
	var v struct{ V string }
	return toml.Unmarshal([]byte("V = "+written), &v) == nil && v.V == s
}

// an edit puts text in the place of the bytes from start to end.
type edit struct {
	start, end int
	text       string
}

// apply makes edits, which do not overlap. Those at one place are made in their order.
func apply(text string, edits []edit) []byte {
	slices.SortStableFunc(edits, func(a, b edit) int { return cmp.Compare(a.start, b.start) })
	var out bytes.Buffer
	done := 0
	for _, e := range edits {
		out.WriteString(text[done:e.start] + e.text)
		done = e.end
	}
	out.WriteString(text[done:])
	return out.Bytes()
}

// sameButKeystore reports whether after says what is wanted under [keystore], and what before says everywhere else.
func sameButKeystore(before, after []byte, backend, passphraseFile string) bool {
	var a, b map[string]any
	if toml.Unmarshal(before, &a) != nil || toml.Unmarshal(after, &b) != nil {
		return false
	}
	was, _ := a["keystore"].(map[string]any)
	is, _ := b["keystore"].(map[string]any)
	if is["backend"] != any(backend) || passphraseFile != "" && is["passphrase_file"] != any(passphraseFile) {
		return false
	}
	for _, m := range []map[string]any{was, is} {
		maps.DeleteFunc(m, func(key string, _ any) bool { return slices.Contains(keystoreKeys, key) })
	}
	delete(a, "keystore")
	delete(b, "keystore")
	return reflect.DeepEqual(a, b) && len(was) == len(is)
}

// settingText is how a setting is written: where its line begins, and where its value, with quotes, begins and ends.
type settingText struct {
	line, start, end int
	written          string
}

// keystoreText is where config.toml says what of its keystore.
type keystoreText struct {
	text     string
	settings map[string]settingText
	header   int    // the end of the line [keystore], -1 where there is none
	inline   int    // behind the { of keystore = {…}, -1 where there is none
	closing  int    // where the } is that goes with it
	dotted   int    // the end of a line keystore.X = …, -1 where there is none
	newline  string // how the file ends its lines
}

var (
	keystoreKey  = regexp.MustCompile(`^\s*["']?([A-Za-z_-]+)["']?\s*=\s*`)
	keystoreDot  = regexp.MustCompile(`^\s*["']?keystore["']?\s*\.\s*["']?([A-Za-z_-]+)["']?\s*=\s*`)
	keystoreOpen = regexp.MustCompile(`^\s*["']?keystore["']?\s*=\s*\{`)
)

// scanKeystore reads text line by line. Lines within a string of many lines are left alone.
func scanKeystore(text string) *keystoreText {
	k := &keystoreText{text: text, header: -1, inline: -1, dotted: -1, newline: "\n"}
	k.settings = make(map[string]settingText)
	if at := strings.IndexByte(text, '\n'); at > 0 && text[at-1] == '\r' {
		k.newline = "\r\n"
	}
	table, within, at := "", "", 0
	for line := range strings.Lines(text) {
		inString := within != ""
		within = openString(line, within)
		if m := headerLine.FindStringSubmatch(line); m != nil && !inString {
			if table = unquoted(m[1]); table == "keystore" {
				k.header = at + len(line)
			}
		} else if !inString {
			k.scanLine(table, line, at)
		}
		at += len(line)
	}
	return k
}

// scanLine notes what a line of that table, which begins at an offset, says of the keystore.
func (k *keystoreText) scanLine(table, line string, at int) {
	if m := keystoreKey.FindStringSubmatchIndex(line); m != nil && table == "keystore" {
		k.note(line[m[2]:m[3]], at, at+m[1])
	}
	if table != "" {
		return
	}
	if m := keystoreDot.FindStringSubmatchIndex(line); m != nil {
		k.dotted = at + len(line)
		k.note(line[m[2]:m[3]], at, at+m[1])
	}
	if m := keystoreOpen.FindStringIndex(line); m != nil {
		k.inline = at + m[1]
		k.closing = k.inline
		k.scanInline(at)
	}
}

// scanInline reads what stands behind keystore = {, in a line that begins at an offset.
func (k *keystoreText) scanInline(line int) {
	for {
		m := keystoreKey.FindStringSubmatchIndex(k.text[k.closing:])
		if m == nil {
			return
		}
		end := k.note(k.text[k.closing+m[2]:k.closing+m[3]], line, k.closing+m[1])
		rest := strings.TrimLeft(k.text[end:], " \t")
		k.closing = len(k.text) - len(rest)
		if !strings.HasPrefix(rest, ",") {
			return
		}
		k.closing++
	}
}

// note keeps a setting, whose value begins at start, and returns the end of the value.
func (k *keystoreText) note(name string, line, start int) int {
	end := start + valueLength(k.text[start:])
	k.settings[name] = settingText{line, start, end, k.text[start:end]}
	return end
}

// inlineAnew is the edit that writes all settings of an inline table, in their order.
func (k *keystoreText) inlineAnew() edit {
	names := slices.SortedFunc(maps.Keys(k.settings), func(a, b string) int {
		return cmp.Compare(k.settings[a].start, k.settings[b].start)
	})
	for i, name := range names {
		names[i] = name + " = " + k.settings[name].written
	}
	return edit{k.inline, k.closing, " " + strings.Join(names, ", ") + " "}
}

// valueLength is how long the value is that text begins with: a string with its quotes, or a word.
func valueLength(text string) int {
	for _, quote := range []string{`"""`, `'''`, `"`, `'`} {
		if !strings.HasPrefix(text, quote) {
			continue
		}
		for i := len(quote); i < len(text); i++ {
			switch {
			case quote[0] == '"' && text[i] == '\\':
				i++
			case strings.HasPrefix(text[i:], quote):
				return i + len(quote)
			}
		}
		return len(text)
	}
	if i := strings.IndexAny(text, ",}#\r\n"); i >= 0 {
		return len(strings.TrimRight(text[:i], " \t"))
	}
	return len(strings.TrimRight(text, " \t"))
}

// dropped is the edit that makes a setting's line a comment.
func (k *keystoreText) dropped(s settingText) edit {
	start := s.line + len(k.text[s.line:]) - len(strings.TrimLeft(k.text[s.line:], " \t"))
	return edit{start, start, "# "}
}

// added is the edit that adds a setting: where [keystore] is written, or at the end of the file.
func (k *keystoreText) added(name, value string) edit {
	line := name + " = " + quoted(value)
	switch {
	case k.inline >= 0:
		return edit{} // inlineAnew writes them all
	case k.header >= 0:
		return k.lineAt(k.behindBackend(k.header), line)
	case k.dotted >= 0:
		return k.lineAt(k.behindBackend(k.dotted), "keystore."+line)
	case name != "backend": // backend was added before
		return k.lineAt(len(k.text), line)
	}
	blank := ""
	if k.text != "" {
		blank = k.newline
	}
	e := k.lineAt(len(k.text), "[keystore]"+k.newline+line)
	if rest, found := strings.CutPrefix(e.text, k.newline); found && !strings.HasSuffix(k.text, "\n") {
		return edit{e.start, e.end, k.newline + blank + rest}
	}
	return edit{e.start, e.end, blank + e.text}
}

// behindBackend is the end of the backend's line, if it has one.
func (k *keystoreText) behindBackend(otherwise int) int {
	at, ok := k.settings["backend"]
	if !ok || at.line < 0 {
		return otherwise
	}
	if i := strings.IndexByte(k.text[at.end:], '\n'); i >= 0 {
		return at.end + i + 1
	}
	return len(k.text)
}

// lineAt is the edit that puts a line at an offset where one begins, or at an end of the file without a newline, which
// stays without one.
func (k *keystoreText) lineAt(offset int, line string) edit {
	if offset == len(k.text) && offset > 0 && !strings.HasSuffix(k.text, "\n") {
		return edit{offset, offset, k.newline + line}
	}
	return edit{offset, offset, line + k.newline}
}

// changesOf lists the lines in which two texts differ.
func changesOf(before, after string) (list []Change) {
	a, b := strings.Split(before, "\n"), strings.Split(after, "\n")
	clean := func(s string) string { return strings.TrimRight(s, "\r") }
	for len(b) > 0 {
		ahead := -1 // where the next of a comes in b: what is before that was added
		if len(a) > 0 {
			ahead = slices.IndexFunc(b, func(line string) bool { return clean(line) == clean(a[0]) })
		}
		switch {
		case ahead == 0:
			a, b = a[1:], b[1:]
		case ahead > 0 || len(a) == 0:
			list = append(list, Change{New: clean(b[0])})
			b = b[1:]
		default:
			list = append(list, Change{clean(a[0]), clean(b[0])})
			a, b = a[1:], b[1:]
		}
	}
	return slices.DeleteFunc(list, func(c Change) bool { return c == Change{} })
}
