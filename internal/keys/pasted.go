package keys

import (
	"strings"
	"unicode"

	"github.com/tcred/tcred/api"
	"github.com/tcred/tcred/credential"
	"github.com/tcred/tcred/keystore"
)

// ConsoleHint is where a person finds a key.
const ConsoleHint = "copy both from the API keys page of the CAM console"

// permanentLength is the most characters that the SecretId of a permanent key has, with some to spare: today they have
// 36, those of temporary keys twice as many.
const permanentLength = 48

// Trim takes off what copying adds around a key: white space, quotes and invisible characters.
func Trim(text string) string {
	return strings.TrimFunc(text, func(r rune) bool {
		return unicode.IsSpace(r) || unicode.IsControl(r) || unicode.Is(unicode.Cf, r) ||
			strings.ContainsRune("\"'`“”‘’,;", r)
	})
}

// Pasted is the key that a person pasted. What cannot be one is api.BadRequest. The error quotes nothing of it: any part
// may be the secret.
func Pasted(id, secret string) (keystore.Key, error) {
	id, secret = Trim(id), Trim(secret)
	switch {
	case id == "":
		return keystore.Key{}, refuse(ConsoleHint, "the SecretId is empty")
	case secret == "":
		return keystore.Key{}, refuse(ConsoleHint, "the SecretKey is empty")
	case keystore.LooksLikeID(secret) && !keystore.LooksLikeID(id):
		return keystore.Key{}, refuse("the SecretId is the one that begins with AKID",
			"SecretId and SecretKey are swapped")
	case keystore.LooksLikeID(secret):
		return keystore.Key{}, refuse("the SecretKey does not begin with AKID; "+ConsoleHint,
			"what came as the SecretKey is a SecretId")
	case temporary(id):
		return keystore.Key{}, Temporary("by its length")
	case !keystore.LooksLikeID(id) && LooksSecret(id):
		return keystore.Key{}, refuse("a SecretId begins with AKID", "what came as the SecretId looks like a SecretKey")
	case !keystore.ValidPart(id) || !keystore.ValidPart(secret):
		return keystore.Key{}, refuse(ConsoleHint+", one after the other",
			"the SecretId or the SecretKey is too long, or has a character in it that neither can have")
	}
	return keystore.Key{ID: id, Secret: credential.Secret(secret)}, nil
}

// Temporary is the error for a key that GetFederationToken does not take; how says how we know.
func Temporary(how string) error {
	return refuse("use a permanent key, from the API keys page of the CAM console", "this is a temporary key, "+how)
}

// refuse is the error for what cannot be a key.
func refuse(hint, message string) error {
	return &api.Error{Code: api.BadRequest, Message: message, Hint: hint}
}

// temporary reports whether a SecretId is of a temporary key: those are long.
func temporary(id string) bool { return keystore.LooksLikeID(id) && len(id) > permanentLength }

// LooksSecret reports whether text may be a SecretId or a SecretKey, so that it should not be repeated on a screen:
// it is long and mixes capitals, small letters and digits.
func LooksSecret(text string) bool {
	return len(text) >= 24 && strings.ContainsFunc(text, unicode.IsUpper) &&
		strings.ContainsFunc(text, unicode.IsLower) && strings.ContainsFunc(text, unicode.IsDigit)
}
