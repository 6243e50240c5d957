package profile

import (
	"strings"
	"unicode/utf8"
)

// find is where a setting stands in the text of a valid config.toml, "" being the table's own line; table "" is what
// stands above the first one. 0, 0 if it is not there, or written in a way that is seldom: as a dotted key or an inline
// table.
func find(text []byte, table, setting string) (line, column int) {
	current, number, quoted := "", 0, ""
	for whole := range strings.Lines(string(text)) {
		number++
		if quoted != "" || strings.Count(whole, `'''`)%2 == 1 || strings.Count(whole, `"""`)%2 == 1 {
			was := quoted
			quoted = within(quoted, whole)
			if was != "" {
				continue
			}
		}
		trimmed := strings.TrimLeft(whole, " \t")
		name, isTable := header(trimmed)
		if isTable {
			current = name
		}
		key, _, isSetting := strings.Cut(trimmed, "=")
		if current == table && (isTable && setting == "" || !isTable && isSetting && bare(key) == setting) {
			return number, 1 + utf8.RuneCountInString(whole[:len(whole)-len(trimmed)])
		}
	}
	return 0, 0
}

// within is the quote that a string over several lines, open or not before this line, leaves open behind it.
func within(quoted, line string) string {
	for _, quote := range []string{`'''`, `"""`} {
		if quoted != "" && quoted != quote || strings.Count(line, quote)%2 == 0 {
			continue
		}
		if quoted == quote {
			return ""
		}
		return quote
	}
	return quoted
}

// header is the name in a line such as [profiles."a.b"], with no quotes.
func header(line string) (name string, ok bool) {
	if !strings.HasPrefix(line, "[") {
		return "", false
	}
	name, _, ok = strings.Cut(line[1:], "]")
	parts := strings.SplitN(name, ".", 2) // a profile's name may hold dots
	for i := range parts {
		parts[i] = bare(parts[i])
	}
	return strings.Join(parts, "."), ok
}

func bare(key string) string { return strings.Trim(strings.TrimSpace(key), `"'`) }
