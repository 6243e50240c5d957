package emulator

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"net"
	"net/http"
	"regexp"
	"slices"
	"strings"

	"github.com/tcred/tcred/credential"
)

// algorithm is the only one of "signature v3"; terminator ends its credential scope.
const (
	algorithm  = "TC3-HMAC-SHA256"
	terminator = "tc3_request"
)

// authorization is the Authorization header of a request signed with TC3-HMAC-SHA256.
type authorization struct {
	secretID      string
	date          string // of the scope: the UTC day of X-TC-Timestamp, 2006-01-02
	service       string // of the scope. Not always "sts": the Node SDK takes the endpoint's first label
	signedHeaders string // lower case, sorted, joined by semicolons
	signature     string // 64 hex digits, lower case
}

var authorizationForm = regexp.MustCompile(`^` + algorithm +
	` Credential=([^/,\s]+)/(\d{4}-\d{2}-\d{2})/([^/,\s]+)/` + terminator +
	`, SignedHeaders=([a-z0-9-]+(?:;[a-z0-9-]+)*)` +
	`, Signature=([0-9a-f]{64})$`)

func (a authorization) scope() string { return a.date + "/" + a.service + "/" + terminator }

// parseAuthorization reads the header in its documented form and no other.
func parseAuthorization(header string) (authorization, error) {
	m := authorizationForm.FindStringSubmatch(header)
	if m == nil {
		return authorization{}, refuse("AuthFailure.InvalidAuthorization", "the Authorization header is missing or malformed")
	}
	a := authorization{m[1], m[2], m[3], m[4], m[5]}
	names := strings.Split(a.signedHeaders, ";")
	if !slices.IsSorted(names) || len(slices.Compact(slices.Clone(names))) != len(names) {
		return authorization{}, refuse("AuthFailure.InvalidAuthorization", "SignedHeaders are not sorted, or one is there twice")
	}
	if !slices.Contains(names, "content-type") || !slices.Contains(names, "host") {
		return authorization{}, refuse("AuthFailure.InvalidAuthorization", "SignedHeaders lack content-type or host")
	}
	return a, nil
}

// verify reports whether key made the signature in a. The host counts with and without its port: the Go SDK
// signs it as it is sent, the Node SDK without the port.
func (a authorization) verify(r *http.Request, body []byte, key credential.Secret) bool {
	matches := false
	for _, host := range []string{r.Host, withoutPort(r.Host)} {
		want := a.sign(r, host, body, key)
		matches = hmac.Equal([]byte(want), []byte(a.signature)) || matches
	}
	return matches
}

func withoutPort(host string) string {
	if _, port, err := net.SplitHostPort(host); err == nil {
		return strings.TrimSuffix(host, ":"+port) // keeps the brackets of an IPv6 address
	}
	return host
}

// sign computes the signature that a request sent to host should carry.
func (a authorization) sign(r *http.Request, host string, body []byte, key credential.Secret) string {
	text := strings.Join([]string{
		algorithm, r.Header.Get("X-TC-Timestamp"), a.scope(), hexSHA256([]byte(a.canonicalRequest(r, host, body))),
	}, "\n")
	date := hmacSHA256([]byte("TC3"+key.Reveal()), a.date)
	signing := hmacSHA256(hmacSHA256(date, a.service), terminator)
	return hex.EncodeToString(hmacSHA256(signing, text))
}

// canonicalRequest is the request in the one spelling that both sides hash. The query of a POST is not in it.
func (a authorization) canonicalRequest(r *http.Request, host string, body []byte) string {
	query := ""
	if r.Method == http.MethodGet {
		query = r.URL.RawQuery
	}
	var headers strings.Builder
	for name := range strings.SplitSeq(a.signedHeaders, ";") {
		value := r.Header.Get(name)
		if name == "host" {
			value = host // net/http keeps it apart
		}
		headers.WriteString(name + ":" + strings.ToLower(strings.TrimSpace(value)) + "\n")
	}
	return strings.Join([]string{r.Method, "/", query, headers.String(), a.signedHeaders, hexSHA256(body)}, "\n")
}

func hexSHA256(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}

func hmacSHA256(key []byte, text string) []byte {
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(text))
	return mac.Sum(nil)
}
