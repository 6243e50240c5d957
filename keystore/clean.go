package keystore

import (
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/tcred/tcred/api"
	"github.com/tcred/tcred/credential"
	"github.com/tcred/tcred/internal/human"
)

// consoleHint is where a person finds a key.
const consoleHint = "copy both from the API keys page of the CAM console"

// permanentLength is the most characters that the SecretId of a permanent key has, with some to spare: today they have
// 36, those of temporary keys twice as many.
const permanentLength = 48

// pasteMarks are what a terminal puts around a paste where a program asked it to, and others do not expect them.
var pasteMarks = regexp.MustCompile(`\x1b?\[20[01]~`)

// labels are the names that stand before a SecretId or a SecretKey: in the console's SecretKey.csv, in a .env, in JSON.
var labels = regexp.MustCompile(`(?i)(?:\bexport\s+|\bset\s+)?\b(?:[a-z]+_)*secret[_ -]?(id|key)\b["'” ]*[:=：]?`)

// separators stand around and between a SecretId and a SecretKey, and in neither.
const separators = ":,;：，；\"'`“”‘’{}[]"

// Clean takes off what copying adds around a SecretId or a SecretKey: white space, quotes, a name before it, invisible
// characters, and the marks of a terminal's paste.
func Clean(text string) string {
	text = labels.ReplaceAllString(visible(text), " ")
	return strings.TrimFunc(text, func(r rune) bool { return unicode.IsControl(r) || isSeparator(r) })
}

// visible is text without paste marks and the characters that have no width.
func visible(text string) string {
	return strings.Map(func(r rune) rune {
		if unicode.Is(unicode.Cf, r) {
			return -1
		}
		return r
	}, pasteMarks.ReplaceAllString(text, ""))
}

func isSeparator(r rune) bool { return unicode.IsSpace(r) || strings.ContainsRune(separators, r) }

// Parts are the SecretId, the SecretKey, or both, that a person pasted or a file holds, in the order of their names
// where it has names: SecretId first. It takes what the console's SecretKey.csv, a .env and JSON look like, and two
// words with anything between them. There may be other than two parts, and they are not checked.
func Parts(text string) []string {
	text = visible(text)
	names := labels.FindAllStringSubmatch(text, -1)
	parts := strings.FieldsFunc(labels.ReplaceAllString(text, " "), isSeparator)
	keyFirst := len(names) == 2 && strings.EqualFold(names[0][1], "key") && strings.EqualFold(names[1][1], "id")
	if len(parts) == 2 && keyFirst {
		slices.Reverse(parts)
	}
	return parts
}

// ParseKey reads a key from one text, as Parts does. The error quotes nothing of it.
func ParseKey(text string) (Key, error) {
	parts := Parts(text)
	switch {
	case strings.ContainsRune(text, 0) || !utf8.ValidString(text):
		return Key{}, fail(api.BadRequest, "save it as UTF-8", "it is no text in UTF-8")
	case len(parts) == 0:
		return Key{}, fail(api.BadRequest, pairHint, "it is empty")
	case len(parts) == 1:
		return Key{}, fail(api.BadRequest, pairHint, "it holds one word, not a SecretId and a SecretKey")
	case len(parts) > 2:
		return Key{}, fail(api.BadRequest, pairHint+", and nothing else",
			"it holds more than one SecretId and one SecretKey")
	}
	return NewKey(parts[0], parts[1])
}

const pairHint = "SecretId and SecretKey, in this order, on two lines"

// NewKey makes a key of a SecretId and a SecretKey, cleaned, if they can be one: nothing that is wrong with them is
// left to STS, which would get a SecretKey in place of a SecretId in plaintext. The error is api.BadRequest and
// quotes nothing, because any part may be the secret.
func NewKey(id, secret string) (Key, error) {
	id, secret = Clean(id), Clean(secret)
	refuse := func(hint, why string) (Key, error) { return Key{}, fail(api.BadRequest, hint, "%s", why) }
	switch {
	case id == "":
		return refuse(consoleHint, "the SecretId is empty")
	case secret == "":
		return refuse(consoleHint, "the SecretKey is empty")
	case LooksLikeID(secret) && !LooksLikeID(id):
		return refuse("the SecretId is the one that begins with AKID or IKID", "SecretId and SecretKey are swapped")
	case LooksLikeID(secret):
		return refuse("the SecretKey does not begin with AKID or IKID; "+consoleHint,
			"what came as the SecretKey is a SecretId")
	case strings.ContainsFunc(id, isSeparator) || strings.ContainsFunc(secret, isSeparator):
		return refuse(consoleHint+", one after the other", "the SecretId or the SecretKey is more than one word")
	case LooksLikeID(id) && len(id) > permanentLength:
		return refuse("use a permanent key, from the API keys page of the CAM console",
			"this is a temporary key, by its length")
	case !LooksLikeID(id) && LooksSecret(id):
		return refuse("a SecretId begins with AKID or IKID; "+consoleHint,
			"what came as the SecretId looks like a SecretKey")
	case !validPart(id) || !validPart(secret):
		return refuse(consoleHint+", one after the other",
			"the SecretId or the SecretKey is too long, or has a character in it that neither can have")
	}
	return Key{ID: id, Secret: credential.Secret(secret)}, nil
}

// LooksSecret reports whether text may be a SecretId or a SecretKey, so that it should not be repeated on a screen:
// it is long and mixes capitals, small letters and digits.
func LooksSecret(text string) bool {
	return len(text) >= 24 && strings.ContainsFunc(text, unicode.IsUpper) &&
		strings.ContainsFunc(text, unicode.IsLower) && strings.ContainsFunc(text, unicode.IsDigit)
}

// maxPart bounds a SecretId or SecretKey, in bytes. With both the value still fits a Windows credential (2560)
// and, in base64, the one command of at most 4096 that macOS's security program takes.
const maxPart = 1024

// validPart reports whether s can be a SecretId or a SecretKey: visible ASCII, none of it a separator.
func validPart(s string) bool {
	return s != "" && len(s) <= maxPart && human.Visible(s) && !strings.ContainsFunc(s, isSeparator)
}

// encodePair is how keychain and file hold a key: SecretId, a newline, SecretKey. What would not be read again as it is
// is refused.
func encodePair(k Key) (string, error) {
	text := k.ID + "\n" + k.Secret.Reveal()
	again, err := ParseKey(text)
	if err == nil && again != k {
		err = fail(api.BadRequest, consoleHint, "the SecretId or the SecretKey is not as the console shows it")
	}
	if err != nil {
		return "", err
	}
	return text, nil
}
