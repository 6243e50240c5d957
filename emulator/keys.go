package emulator

import (
	"crypto/rand"
	"encoding/base64"
	"fmt"

	"github.com/tcred/tcred/credential"
)

const (
	digits       = "0123456789"
	alphanumeric = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz" + digits
)

// newKey makes a random permanent key of the usual shape: a SecretId of AKID and 32 letters or digits,
// a SecretKey of 32.
func newKey() (secretID string, secretKey credential.Secret) {
	return "AKID" + random(alphanumeric, 32), credential.Secret(random(alphanumeric, 32))
}

// NewAccount makes a random account with a key: a root account or a sub-account.
func NewAccount(root bool) Account {
	a := Account{AccountID: "1000" + random(digits, 8), AppID: "125" + random(digits, 7)}
	a.SecretID, a.SecretKey = newKey()
	for a.UIN = a.AccountID; !root && a.UIN == a.AccountID; {
		a.UIN = "1000" + random(digits, 8)
	}
	return a
}

// random is n characters of alphabet, each as likely as any other.
func random(alphabet string, n int) string {
	out := make([]byte, 0, n)
	fair := 256 - 256%len(alphabet)
	for buf := make([]byte, 2*n); len(out) < n; {
		rand.Read(buf) // never fails, by its documentation
		for _, b := range buf {
			if int(b) < fair && len(out) < n {
				out = append(out, alphabet[int(b)%len(alphabet)])
			}
		}
	}
	return string(out)
}

// randomURLSafe is n characters of the URL-safe base64 alphabet.
func randomURLSafe(n int) string {
	buf := make([]byte, n)
	rand.Read(buf) // never fails, by its documentation
	return base64.RawURLEncoding.EncodeToString(buf)[:n]
}

// newRequestID is a random UUID, the form of STS's own.
func newRequestID() string {
	var b [16]byte
	rand.Read(b[:]) // never fails, by its documentation
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}
