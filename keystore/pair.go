package keystore

import (
	"strings"

	"github.com/tcred/tcred/api"
	"github.com/tcred/tcred/credential"
	"github.com/tcred/tcred/internal/human"
)

// maxPart is the longest SecretId or SecretKey, in bytes. Two of them fit into a Windows credential (2560) and, in
// base64, into a command of macOS's security program (4096).
const maxPart = 1024

// encodePair writes a key as the keychain and the file keystore hold it: SecretId, a newline, SecretKey.
func encodePair(k Key) (string, error) {
	if !ValidPart(k.ID) || !ValidPart(k.Secret.Reveal()) {
		return "", fail(api.BadRequest, "copy both again from the API keys page of the CAM console",
			"a SecretId or SecretKey is empty, too long, or holds a colon, white space or non-ASCII characters")
	}
	return k.ID + "\n" + k.Secret.Reveal(), nil
}

// parsePair reads SecretId and SecretKey, in this order, with a newline, a colon or white space between them.
func parsePair(text string) (Key, bool) {
	parts := strings.FieldsFunc(text, func(r rune) bool { return strings.ContainsRune(": \t\r\n", r) })
	if len(parts) != 2 || !ValidPart(parts[0]) || !ValidPart(parts[1]) {
		return Key{}, false
	}
	return Key{parts[0], credential.Secret(parts[1])}, true
}

// ValidPart reports whether s can be a SecretId or a SecretKey: visible ASCII without the colon, which separates the
// two, and at most 1024 bytes.
func ValidPart(s string) bool {
	return s != "" && len(s) <= maxPart && human.Visible(s) && !strings.Contains(s, ":")
}
