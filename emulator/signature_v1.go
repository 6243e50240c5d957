package emulator

import (
	"crypto/hmac"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/base64"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/tcred/tcred/credential"
)

// stsHost is STS's host. The COS STS SDKs of Java and Python sign it, unless told otherwise, also when they send to
// an address.
const stsHost = "sts.tencentcloudapi.com"

// v1Claim reads the parameters of "signature v1".
func (q request) v1Claim() (claim, error) {
	for _, name := range []string{"SecretId", "Timestamp", "Nonce", "Signature"} {
		if q.values[name] == "" {
			return claim{}, refuse("MissingParameter", "the common parameter %s is missing", name)
		}
	}
	// The page says a positive number. The Node SDK draws one from 0 on.
	if _, err := strconv.ParseUint(q.values["Nonce"], 10, 64); err != nil {
		return claim{}, refuse("InvalidParameterValue", "the Nonce is not a positive integer")
	}
	return claim{secretID: q.values["SecretId"], signedBy: q.v1SignedBy}, nil
}

// v1SignedBy reports whether key made the Signature. The host counts with and without its port, as with TC3, and
// where the request was sent to no host of Tencent Cloud's, stsHost counts too.
func (q request) v1SignedBy(key credential.Secret) bool {
	bare := withoutPort(q.Host)
	hosts := []string{q.Host, bare}
	if !strings.HasSuffix(bare, ".tencentcloudapi.com") {
		hosts = append(hosts, stsHost)
	}
	matches := false
	for _, host := range hosts {
		want := v1Sign(v1Text(q.Method, host, q.values), q.values["SignatureMethod"], key)
		matches = hmac.Equal([]byte(want), []byte(q.values["Signature"])) || matches
	}
	return matches
}

// v1Text is what is signed: the parameters by their names in the order of bytes, their values as they are, not
// encoded. The path is always "/".
func v1Text(method, host string, values map[string]string) string {
	var pairs []string
	for _, name := range slices.Sorted(maps.Keys(values)) {
		if name != "Signature" {
			pairs = append(pairs, name+"="+values[name])
		}
	}
	return method + host + "/?" + strings.Join(pairs, "&")
}

// v1Sign signs text. A method that is left out or is none is HmacSHA1, as the page says.
func v1Sign(text, method string, key credential.Secret) string {
	algorithm := sha1.New
	if method == "HmacSHA256" {
		algorithm = sha256.New
	}
	mac := hmac.New(algorithm, []byte(key.Reveal()))
	mac.Write([]byte(text))
	return base64.StdEncoding.EncodeToString(mac.Sum(nil))
}
