package keystore

import (
	"strings"

	"github.com/tcred/tcred/api"
	"github.com/tcred/tcred/credential"
)

// maxPart bounds a SecretId or SecretKey, in bytes. With both the value still fits a Windows credential (2560)
// and, in base64, the one command of at most 4096 that macOS's security program takes.
const maxPart = 1024

// encodePair is how keychain and file hold a key: SecretId, a newline, SecretKey.
func encodePair(k Key) (string, error) {
	if !validPart(k.ID) || !validPart(k.Secret.Reveal()) {
		return "", fail(api.BadRequest, "copy both again from the API keys page of the CAM console",
			"a SecretId or SecretKey is empty, too long, or holds a colon, white space or non-ASCII characters")
	}
	return k.ID + "\n" + k.Secret.Reveal(), nil
}

// parsePair reads SecretId and SecretKey, in this order, with a newline, a colon or white space between them.
func parsePair(text string) (Key, bool) {
	parts := strings.FieldsFunc(text, func(r rune) bool { return strings.ContainsRune(": \t\r\n", r) })
	if len(parts) != 2 || !validPart(parts[0]) || !validPart(parts[1]) {
		return Key{}, false
	}
	return Key{parts[0], credential.Secret(parts[1])}, true
}

// validPart allows what a SecretId or SecretKey can be made of: printable ASCII but the separator.
func validPart(s string) bool {
	for i := 0; i < len(s); i++ {
		if s[i] <= ' ' || s[i] > '~' || s[i] == ':' {
			return false
		}
	}
	return s != "" && len(s) <= maxPart
}
