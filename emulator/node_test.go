package emulator

import (
	"bytes"
	"encoding/json"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/tcred/tcred/internal/testworld"
)

// nodeCall is one call that testdata/sdk.js makes.
type nodeCall struct {
	Endpoint     string         `json:"endpoint"`
	SecretID     string         `json:"secretId"`
	SecretKey    string         `json:"secretKey"`
	Token        string         `json:"token,omitempty"`
	Method       string         `json:"method,omitempty"` // left out: POST
	Action       string         `json:"action"`
	Params       map[string]any `json:"params"`
	AsIssuedUser bool           `json:"asIssuedUser,omitempty"` // with the credential that the call before got
}

// nodeResult is what the SDK made of it: a response, or an error's code and request id.
type nodeResult struct {
	Response  *answer `json:"response"`
	Code      string  `json:"code"`
	RequestID string  `json:"requestId"`
}

func (s served) nodeCall(k key, method, action string, params map[string]any) nodeCall {
	return nodeCall{
		Endpoint: s.endpoint, SecretID: k.id, SecretKey: k.secret.Reveal(), Token: k.token.Reveal(),
		Method: method, Action: action, Params: params,
	}
}

func TestOfficialNodeSDKGetsTokensAndIsRefused(t *testing.T) {
	testworld.NeedReal(t, true, "installs the Node SDK with npm")
	params := map[string]any{"Name": "upload-client", "Policy": url.QueryEscape(allowAll), "DurationSeconds": 1800}
	s := serve(t, 0, nil)
	var calls []nodeCall
	for _, method := range []string{"POST", "GET"} {
		issued := s.nodeCall(key{}, method, GetCallerIdentity, map[string]any{})
		issued.AsIssuedUser = true
		calls = append(calls,
			s.nodeCall(keyOf(s.account), method, GetCallerIdentity, map[string]any{}),
			s.nodeCall(keyOf(s.account), method, GetFederationToken, params),
			issued)
	}
	for _, c := range refusals {
		s := serve(t, c.clockOff, c.tamper)
		calls = append(calls, s.nodeCall(c.key(s), "POST", GetFederationToken, params))
	}
	got := runNode(t, calls)

	for i, call := range calls[:6] {
		r := got[i].Response
		switch {
		case r == nil:
			t.Errorf("%s %s: refused with %s", call.Method, call.Action, got[i].Code)
		case call.AsIssuedUser && r.UserID != s.account.UIN+":upload-client":
			t.Errorf("%s: the issued credential is %s", call.Method, r.UserID)
		case call.Action == GetCallerIdentity && r.PrincipalID != s.account.UIN:
			t.Errorf("%s: the key is %s's", call.Method, r.PrincipalID)
		case call.Action == GetFederationToken && (r.Credentials.Token == "" || r.ExpiredTime == 0):
			t.Errorf("%s: no whole credential", call.Method)
		}
	}
	for i, c := range refusals {
		if r := got[6+i]; r.Code != c.code || r.RequestID == "" {
			t.Errorf("%s: got %q, want %s", c.name, r.Code, c.code)
		}
	}
}

// runNode makes the calls, in order, with the official Node SDK.
func runNode(t *testing.T, calls []nodeCall) []nodeResult {
	t.Helper()
	input, err := json.Marshal(calls)
	if err != nil {
		t.Fatal(err)
	}
	node := exec.CommandContext(t.Context(), "node", "sdk.js")
	node.Dir = installNodeSDK(t)
	node.Stdin = bytes.NewReader(input) // keys are in it: neither arguments nor environment
	var stderr bytes.Buffer
	node.Stderr = &stderr
	output, err := node.Output()
	if err != nil {
		t.Fatalf("node sdk.js: %v\n%s", err, stderr.String())
	}
	var results []nodeResult
	if err := json.Unmarshal(output, &results); err != nil || len(results) != len(calls) {
		t.Fatalf("node sdk.js: %d results of %d calls, %v", len(results), len(calls), err)
	}
	return results
}

// installNodeSDK makes a directory with sdk.js and the SDK of testdata/package.json, in $TCRED_TEST_CACHE if
// that is set, where the next run finds it.
func installNodeSDK(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	if cache := os.Getenv("TCRED_TEST_CACHE"); cache != "" {
		dir = filepath.Join(cache, "sts-node-sdk")
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"package.json", "sdk.js"} {
		text, err := os.ReadFile(filepath.Join("testdata", name))
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	npm := exec.CommandContext(t.Context(), "npm", "install", "--no-audit", "--no-fund", "--ignore-scripts", "--no-package-lock", "--prefer-offline")
	npm.Dir = dir
	if output, err := npm.CombinedOutput(); err != nil {
		t.Fatalf("npm install: %v\n%s", err, output)
	}
	return dir
}
