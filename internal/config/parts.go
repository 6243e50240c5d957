package config

import (
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/tcred/tcred/api"
)

// parts are the bytes of a config.toml by whom they concern, found without parsing it: a file that is no TOML has them
// too. Whatever is not sure to concern one profile alone, or nobody's rights, is in common.
type parts struct {
	common   string
	choice   string            // which profile is meant by who names none
	profiles map[string]string // what stands under [profiles.NAME] and below it
}

// harmless are the settings at the top that say nothing of what a credential may do.
var harmless = []string{"language", "sts_rate", "idle_exit"}

var (
	headerLine  = regexp.MustCompile(`^\s*\[\[?([^\[\]]+)\]\]?\s*(?:#.*)?\s*$`)
	settingLine = regexp.MustCompile(`^\s*"?([A-Za-z0-9_-]+)"?\s*=`)
)

// partsOf takes text apart, line by line. Lines within a string of many lines are never taken for a table's header.
func partsOf(text string) parts {
	p := parts{profiles: make(map[string]string)}
	table, within := "", "" // the header's words; the quotes that end the string that is open
	for line := range strings.Lines(text) {
		inString := within != ""
		within = openString(line, within)
		if m := headerLine.FindStringSubmatch(line); m != nil && !inString {
			table = unquoted(m[1])
		}
		name, ofProfile := strings.CutPrefix(table, "profiles.")
		switch {
		case ofProfile:
			p.profiles[name] += line
		case table == "" && !inString && within == "" && setting(line) == "default_profile":
			p.choice += line
		case table == "" && !inString && within == "" && sayNothing(line):
		default:
			p.common += line
		}
	}
	return p
}

// sayNothing reports whether a line at the top is blank, a comment, or sets what is harmless.
func sayNothing(line string) bool {
	line = strings.TrimSpace(line)
	if line == "" || line[0] == '#' {
		return true
	}
	return slices.Contains(harmless, setting(line))
}

// setting is what a line at the top sets, "" if it sets nothing.
func setting(line string) string {
	if m := settingLine.FindStringSubmatch(line); m != nil {
		return m[1]
	}
	return ""
}

// openString is what ends the string of many lines that is open behind line, "" if none is. within is the same before
// it.
func openString(line, within string) string {
	for line != "" {
		if within != "" {
			_, rest, found := strings.Cut(line, within)
			if !found {
				return within
			}
			line, within = rest, ""
			continue
		}
		single, double := strings.Index(line, "'''"), strings.Index(line, `"""`)
		switch {
		case single < 0 && double < 0:
			return ""
		case double < 0 || single >= 0 && single < double:
			line, within = line[single+3:], "'''"
		default:
			line, within = line[double+3:], `"""`
		}
	}
	return within
}

// unquoted is a header's words without blanks and quotes: profiles.upload.
func unquoted(header string) string {
	return strings.Map(func(r rune) rune {
		if strings.ContainsRune(" \t\"'", r) {
			return -1
		}
		return r
	}, header)
}

// of is what concerns the profile of that name, own tables with dots in their names included; of the name "" it is what
// decides which profile is meant.
func (p parts) of(name string) string {
	all := p.common
	if name == "" {
		all, name = all+p.choice, api.DefaultProfile
	}
	for _, table := range slices.Sorted(maps.Keys(p.profiles)) {
		if table == name || strings.HasPrefix(table, name+".") {
			all += p.profiles[table]
		}
	}
	return all
}
