package cli

import (
	"strings"
	"unicode"

	"github.com/tcred/tcred/credential"
	"github.com/tcred/tcred/keystore"
)

// consoleHint is where a person finds a key.
const consoleHint = "copy both from the API keys page of the CAM console"

// idPrefixes begin the SecretIds of the mainland site and of the international one.
var idPrefixes = []string{"AKID", "IKID"}

// permanentLength is the most characters that the SecretId of a permanent key has, with some to spare: today they have
// 36, those of temporary keys twice as many.
const permanentLength = 48

// paste takes off what copying adds around a key: white space, quotes and invisible characters.
func paste(text string) string {
	return strings.TrimFunc(text, func(r rune) bool {
		return unicode.IsSpace(r) || unicode.IsControl(r) || unicode.Is(unicode.Cf, r) ||
			strings.ContainsRune("\"'`“”‘’,;", r)
	})
}

// newKey makes a key of what was pasted, if that can be one. Its errors quote nothing: any part may be the secret.
func newKey(id, secret string) (keystore.Key, error) {
	id, secret = paste(id), paste(secret)
	switch {
	case id == "":
		return keystore.Key{}, usage(consoleHint, "the SecretId is empty")
	case secret == "":
		return keystore.Key{}, usage(consoleHint, "the SecretKey is empty")
	case looksLikeID(secret) && !looksLikeID(id):
		return keystore.Key{}, usage("the SecretId is the one that begins with AKID", "SecretId and SecretKey are swapped")
	case looksLikeID(secret):
		return keystore.Key{}, usage("the SecretKey does not begin with AKID; "+consoleHint,
			"what came as the SecretKey is a SecretId")
	case temporary(id):
		return keystore.Key{}, temporaryKey("by its length")
	case !looksLikeID(id) && looksSecret(id):
		return keystore.Key{}, usage("a SecretId begins with AKID", "what came as the SecretId looks like a SecretKey")
	case !keystore.ValidPart(id) || !keystore.ValidPart(secret):
		return keystore.Key{}, usage(consoleHint+", one after the other",
			"the SecretId or the SecretKey is too long, or has a character in it that neither can have")
	}
	return keystore.Key{ID: id, Secret: credential.Secret(secret)}, nil
}

// temporaryKey is the error for a key that GetFederationToken does not take; how says how we know.
func temporaryKey(how string) error {
	return usage("use a permanent key, from the API keys page of the CAM console", "this is a temporary key, %s", how)
}

func looksLikeID(text string) bool {
	for _, prefix := range idPrefixes {
		if strings.HasPrefix(text, prefix) {
			return true
		}
	}
	return false
}

// temporary reports whether a SecretId is of a temporary key: those are long.
func temporary(id string) bool { return looksLikeID(id) && len(id) > permanentLength }

// looksSecret reports whether text may be a SecretId or a SecretKey, so that it should not be repeated on a screen:
// it is long and mixes capitals, small letters and digits.
func looksSecret(text string) bool {
	return len(text) >= 24 && strings.ContainsFunc(text, unicode.IsUpper) &&
		strings.ContainsFunc(text, unicode.IsLower) && strings.ContainsFunc(text, unicode.IsDigit)
}
