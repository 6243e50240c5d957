package config

import (
	"fmt"
	"slices"
	"strings"
)

// DidYouMean is the end of an error about an unknown word: the candidate that was probably meant, or nothing.
func DidYouMean(word string, candidates []string) string {
	if near := nearest(word, candidates); near != "" {
		return fmt.Sprintf("; did you mean %q?", near)
	}
	return ""
}

// otherWords are what people write in place of the words that a setting takes.
var otherWords = map[string][]string{
	"zh":       {"chinese", "cn", "中文", "简体中文"},
	"en":       {"english", "us"},
	"cn":       {"china", "mainland", "domestic", "chinese", "zh", "中国", "中国站"},
	"intl":     {"international", "global", "overseas", "国际", "国际站"},
	"keychain": {"keyring", "secret-service", "secretservice", "gnome-keyring", "kwallet", "keepassxc", "wincred"},
	"file":     {"age", "passphrase"},
	"dir":      {"directory", "folder", "mount", "systemd"},
	"env":      {"environment", "variables"},
}

// nearest is the candidate that word was probably meant to be, "" if none is near enough: another word for it, a
// misspelling, or the candidate with more behind it, as in zh_CN.
func nearest(word string, candidates []string) string {
	for _, c := range candidates {
		if slices.Contains(otherWords[c], strings.ToLower(word)) {
			return c
		}
	}
	best, least := "", 1+(len(word)+1)/3
	for _, c := range candidates {
		if d := distance(strings.ToLower(word), strings.ToLower(c)); d < least {
			best, least = c, d
		}
	}
	if best != "" {
		return best
	}
	i := slices.IndexFunc(candidates, func(c string) bool {
		more, longer := strings.CutPrefix(strings.ToLower(word), strings.ToLower(c))
		return longer && strings.ContainsAny(more[:min(1, len(more))], "_-.@")
	})
	if i < 0 {
		return ""
	}
	return candidates[i]
}

// distance counts the letters to insert, delete, replace or swap with their neighbour to turn a into b.
func distance(a, b string) int {
	if len(a) > 64 || len(b) > 64 { // no name is longer
		return len(a) + len(b)
	}
	var d [65][65]int
	for i := range len(a) + 1 {
		for j := range len(b) + 1 {
			if i == 0 || j == 0 {
				d[i][j] = i + j
				continue
			}
			replaced := d[i-1][j-1]
			if a[i-1] != b[j-1] {
				replaced++
			}
			d[i][j] = min(d[i-1][j]+1, d[i][j-1]+1, replaced)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				d[i][j] = min(d[i][j], d[i-2][j-2]+1)
			}
		}
	}
	return d[len(a)][len(b)]
}
