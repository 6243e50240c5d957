package emulator

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// cosCall is one call that testdata/cos.js and testdata/cos-go make with the official COS STS SDKs. All sign HmacSHA1
// and send a form.
type cosCall struct {
	Host      string            `json:"host"` // with its port
	SecretID  string            `json:"secretId"`
	SecretKey string            `json:"secretKey"`
	CA        string            `json:"ca,omitempty"`     // Go: in PEM; "" is plain http, which Node does not speak
	Policy    json.RawMessage   `json:"policy,omitempty"` // as it is
	Scope     []json.RawMessage `json:"scope,omitempty"`  // Node: what its getPolicy makes the policy of
}

// cosResult is what an SDK made of it: a credential, or an error's code and request id.
type cosResult struct {
	Token       string `json:"token"`
	ExpiredTime int64  `json:"expiredTime"`
	Code        string `json:"code"`
	RequestID   string `json:"requestId"`
}

const (
	cosPolicy = `{"version":"2.0","statement":[{"effect":"allow","action":["name/cos:PutObject"],` +
		`"resource":["qcs::cos:ap-guangzhou:uid/APPID:bucket-APPID/a b+c%20/*"]}]}`
	cosScope = `{"action":"name/cos:PutObject","bucket":"bucket-APPID","region":"ap-guangzhou","prefix":"a/*"}`
)

func (s served) cosCall(k key, ca []byte) cosCall {
	return cosCall{
		Host: s.endpoint, SecretID: k.id, SecretKey: k.secret.Reveal(), CA: string(ca), Policy: s.ownBucket(cosPolicy),
	}
}

// ownBucket is text about a bucket of the account's.
func (s served) ownBucket(text string) json.RawMessage {
	return json.RawMessage(strings.ReplaceAll(text, "APPID", s.account.AppID))
}

// cosRefusals are a call for each of the refusals, and the codes that these SDKs meet: they send no token.
func cosRefusals(serve func(time.Duration, func([]byte) []byte) served) (calls []cosCall, codes []string) {
	for _, c := range refusals {
		code := c.code
		if code == "FailedOperation.TempKeyNotAllowed" {
			code = "AuthFailure.TokenFailure"
		}
		s := serve(c.clockOff, c.tamper)
		calls, codes = append(calls, s.cosCall(c.key(s), nil)), append(codes, code)
	}
	return calls, codes
}

// checkCOS holds results to codes, "" for a credential.
func checkCOS(t *testing.T, results []cosResult, codes []string) {
	t.Helper()
	if len(results) != len(codes) {
		t.Fatalf("%d results of %d calls", len(results), len(codes))
	}
	for i, got := range results {
		whole := got.Token != "" && got.ExpiredTime > time.Now().Unix()+1700
		if got.Code != codes[i] || (got.Code == "") != whole || (got.Code != "") != (got.RequestID != "") {
			t.Errorf("call %d: got %q, request %q, a credential until %d; want %q",
				i+1, got.Code, got.RequestID, got.ExpiredTime, codes[i])
		}
	}
}

func TestOfficialGoCOSSDKGetsTokensAndIsRefused(t *testing.T) {
	if os.Getenv("TCRED_TEST_REAL") != "1" {
		t.Skip("has the go command fetch the COS STS SDK; TCRED_TEST_REAL=1 runs it")
	}
	config, ca, err := ServerTLS()
	if err != nil {
		t.Fatal(err)
	}
	plain, secure := serve(t, 0, nil), serveOver(t, config, 0, nil)
	calls := []cosCall{plain.cosCall(keyOf(plain.account), nil), secure.cosCall(keyOf(secure.account), ca)}
	refused, codes := cosRefusals(func(clockOff time.Duration, tamper func([]byte) []byte) served {
		return serve(t, clockOff, tamper)
	})
	var got []cosResult
	run := exec.CommandContext(t.Context(), "go", "run", ".")
	run.Dir = filepath.Join("testdata", "cos-go") // a module of its own, so that tcred's does not name the SDK
	run.Env = append(os.Environ(), "GOWORK=off")
	runJSON(t, run, append(calls, refused...), &got)
	checkCOS(t, got, append([]string{"", ""}, codes...))
	if n := plain.Calls(GetFederationToken) + secure.Calls(GetFederationToken); n != 2 {
		t.Errorf("%d calls arrived, want 2", n)
	}
}

func TestOfficialNodeCOSSDKGetsTokensAndIsRefused(t *testing.T) {
	if os.Getenv("TCRED_TEST_REAL") != "1" {
		t.Skip("installs the COS STS SDK with npm; TCRED_TEST_REAL=1 runs it")
	}
	config, ca, err := ServerTLS()
	if err != nil {
		t.Fatal(err)
	}
	over := func(clockOff time.Duration, tamper func([]byte) []byte) served {
		return serveOver(t, config, clockOff, tamper)
	}
	s := over(0, nil)
	written, own := s.cosCall(keyOf(s.account), nil), s.cosCall(keyOf(s.account), nil)
	written.Policy, written.Scope = nil, []json.RawMessage{s.ownBucket(cosScope)} // with a principal
	calls, codes := cosRefusals(over)
	calls, codes = append([]cosCall{own, written}, calls...), append([]string{"", ""}, codes...)

	caFile := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(caFile, ca, 0o600); err != nil {
		t.Fatal(err)
	}
	var got []cosResult
	runNode(t, "cos.js", calls, &got, "NODE_EXTRA_CA_CERTS="+caFile)
	checkCOS(t, got, codes)

	got = nil
	runNode(t, "cos.js", calls[:1], &got, "NODE_EXTRA_CA_CERTS=")
	if len(got) != 1 || got[0].Code == "" || got[0].RequestID != "" {
		t.Errorf("without the authority it gets %+v", got)
	}
}
