package emulator

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/tcred/tcred/credential"
)

// The examples of three editions of Tencent Cloud's "Signature v3" page. The present one's key is, to the
// letter, 32 asterisks; it signs a value in mixed case.
var published = []struct {
	name, method, target, kind, timestamp, body string
	key                                         credential.Secret
	header                                      string
}{
	{
		"POST", http.MethodPost, "https://cvm.tencentcloudapi.com/", "application/json; charset=utf-8", "1551113065",
		instances, "Gu5t9xGARNpq86cd98joQYCN3EXAMPLE",
		"TC3-HMAC-SHA256 Credential=AKIDz8krbsJ5yKBZQpn74WFkmLPx3EXAMPLE/2019-02-25/cvm/tc3_request, " +
			"SignedHeaders=content-type;host, Signature=72e494ea809ad7a8c8f7a4507b9bddcbaa8e581f516e8da2f66e2c5a96525168",
	},
	{
		"POST that signs the action", http.MethodPost, "https://cvm.tencentcloudapi.com/", "application/json; charset=utf-8", "1551113065",
		instances, "********************************",
		"TC3-HMAC-SHA256 Credential=AKID********************************/2019-02-25/cvm/tc3_request, " +
			"SignedHeaders=content-type;host;x-tc-action, Signature=10b1a37a7301a02ca19a647ad722d5e43b4b3cff309d421d85b46093f6ab6c4f",
	},
	{
		"GET", http.MethodGet, "https://cvm.tencentcloudapi.com/?Limit=10&Offset=0", "application/x-www-form-urlencoded", "1539084154",
		"", "Gu5t9xGARNpq86cd98joQYCN3EXAMPLE",
		"TC3-HMAC-SHA256 Credential=AKIDz8krbsJ5yKBZQpn74WFkmLPx3EXAMPLE/2018-10-09/cvm/tc3_request, " +
			"SignedHeaders=content-type;host, Signature=5da7a33f6993f0614b047e5df4582db9e9bf4672ba50567dba16c6ccf174c474",
	},
}

const instances = `{"Limit": 1, "Filters": [{"Values": ["\u672a\u547d\u540d"], "Name": "instance-name"}]}`

func TestPublishedSignaturesVerify(t *testing.T) {
	for _, example := range published {
		t.Run(example.name, func(t *testing.T) {
			a, err := parseAuthorization(example.header)
			if err != nil {
				t.Fatal(err)
			}
			request := func(host string) *http.Request {
				r := httptest.NewRequest(example.method, example.target, nil)
				r.Header.Set("Content-Type", example.kind)
				r.Header.Set("X-TC-Timestamp", example.timestamp)
				r.Header.Set("X-TC-Action", "DescribeInstances")
				r.Host = host
				return r
			}
			const host = "cvm.tencentcloudapi.com"
			body := []byte(example.body)
			if !a.verify(request(host), body, example.key) {
				t.Error("the published signature is refused")
			}
			if !a.verify(request(host+":8085"), body, example.key) {
				t.Error("it is refused when a port that was not signed follows the host")
			}
			if a.verify(request("sts.tencentcloudapi.com"), body, example.key) {
				t.Error("it is taken for another host's")
			}
			if a.verify(request(host), body, example.key+"x") {
				t.Error("it is taken for another key's")
			}
			if a.verify(request(host), append(body, ' '), example.key) {
				t.Error("it is taken for another body's")
			}
		})
	}
}

func TestHostWithoutItsPort(t *testing.T) {
	for host, want := range map[string]string{
		"127.0.0.1:8085": "127.0.0.1", "localhost": "localhost", "[::1]:8085": "[::1]", "[::1]": "[::1]",
	} {
		if got := withoutPort(host); got != want {
			t.Errorf("%s: got %s, want %s", host, got, want)
		}
	}
}

func TestOnlyTheDocumentedAuthorizationFormParses(t *testing.T) {
	good := published[0].header
	if _, err := parseAuthorization(good); err != nil {
		t.Fatal(err)
	}
	for name, bad := range map[string]string{
		"empty":                  "",
		"another algorithm":      strings.Replace(good, "TC3", "AWS4", 1),
		"another terminator":     strings.Replace(good, "tc3_request", "aws4_request", 1),
		"no SecretId":            strings.Replace(good, "AKIDz8krbsJ5yKBZQpn74WFkmLPx3EXAMPLE", "", 1),
		"no service":             strings.Replace(good, "/cvm/", "//", 1),
		"no date":                strings.Replace(good, "2019-02-25", "20190225", 1),
		"upper-case header name": strings.Replace(good, "content-type", "Content-Type", 1),
		"unsorted headers":       strings.Replace(good, "content-type;host", "host;content-type", 1),
		"a header twice":         strings.Replace(good, "content-type;host", "content-type;host;host", 1),
		"host not signed":        strings.Replace(good, "content-type;host", "content-type", 1),
		"type not signed":        strings.Replace(good, "content-type;host", "host", 1),
		"short signature":        good[:len(good)-1],
		"upper-case signature":   strings.Replace(good, "72e494ea", "72E494EA", 1),
		"something after it":     good + " ",
	} {
		t.Run(name, func(t *testing.T) {
			_, err := parseAuthorization(bad)
			if got := codeOf(err); got != "AuthFailure.InvalidAuthorization" {
				t.Errorf("got code %q", got)
			}
		})
	}
}

func FuzzAuthorization(f *testing.F) {
	for _, example := range published {
		f.Add(example.header)
	}
	f.Add("TC3-HMAC-SHA256 Credential=/2019-02-25/sts/tc3_request, SignedHeaders=content-type;host, Signature=0")
	f.Fuzz(func(t *testing.T, header string) {
		a, err := parseAuthorization(header)
		if err != nil {
			if codeOf(err) != "AuthFailure.InvalidAuthorization" {
				t.Errorf("refused with %v", err)
			}
			return
		}
		if a.String() != header {
			t.Errorf("%q is written back as %q", header, a)
		}
		if len(a.signature) != 64 || a.secretID == "" || a.service == "" {
			t.Errorf("%q parses to %+v", header, a)
		}
	})
}
