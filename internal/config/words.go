package config

import (
	"slices"
	"strings"

	"github.com/tcred/tcred/internal/human"
)

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

// meant is the one of words that a person who wrote word probably meant, "" if none is near enough: another word for
// it, a misspelling, or the word with more behind it, as in zh_CN.
func meant(word string, words []string) string {
	for _, w := range words {
		if slices.Contains(otherWords[w], strings.ToLower(word)) {
			return w
		}
	}
	if near := human.Nearest(word, words); near != "" {
		return near
	}
	i := slices.IndexFunc(words, func(w string) bool {
		more, longer := strings.CutPrefix(strings.ToLower(word), strings.ToLower(w))
		return longer && strings.ContainsAny(more[:min(1, len(more))], "_-.@")
	})
	if i < 0 {
		return ""
	}
	return words[i]
}

// DidYouMean is [human.DidYouMean] for a word that a setting does not take.
func DidYouMean(word string, words []string) string {
	if near := meant(word, words); near != "" {
		return "; did you mean " + human.Quote(near) + "?"
	}
	return ""
}
