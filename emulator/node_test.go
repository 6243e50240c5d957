package emulator

import (
	"bytes"
	"encoding/json"
	"net/http"
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
	Method       string         `json:"method,omitempty"`     // left out: POST
	SignMethod   string         `json:"signMethod,omitempty"` // left out: TC3-HMAC-SHA256
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

func (s served) nodeCall(k key, method, signMethod, action string, params map[string]any) nodeCall {
	return nodeCall{
		Endpoint: s.endpoint, SecretID: k.id, SecretKey: k.secret.Reveal(), Token: k.token.Reveal(),
		Method: method, SignMethod: signMethod, Action: action, Params: params,
	}
}

func TestOfficialNodeSDKGetsTokensAndIsRefused(t *testing.T) {
	testworld.NeedReal(t, true, "installs the Node SDK with npm")
	params := map[string]any{"Name": "upload-client", "Policy": url.QueryEscape(allowAll), "DurationSeconds": 1800}
	s := serve(t, 0, nil)
	var calls []nodeCall
	for _, signMethod := range signMethods {
		for _, method := range methods {
			issued := s.nodeCall(key{}, method, signMethod, GetCallerIdentity, map[string]any{})
			issued.AsIssuedUser = true
			calls = append(calls,
				s.nodeCall(keyOf(s.account), method, signMethod, GetCallerIdentity, map[string]any{}),
				s.nodeCall(keyOf(s.account), method, signMethod, GetFederationToken, params),
				issued)
		}
	}
	taken := len(calls)
	var codes []string
	for _, signMethod := range signMethods {
		for _, c := range refusals {
			s := serve(t, c.clockOff, c.tamper)
			calls = append(calls, s.nodeCall(c.key(s), http.MethodPost, signMethod, GetFederationToken, params))
			codes = append(codes, c.code)
		}
	}
	var got []nodeResult
	runNode(t, "sdk.js", calls, &got)
	if len(got) != len(calls) {
		t.Fatalf("%d results of %d calls", len(got), len(calls))
	}

	for i, call := range calls[:taken] {
		r := got[i].Response
		switch {
		case r == nil:
			t.Errorf("%s %s %s: refused with %s", call.SignMethod, call.Method, call.Action, got[i].Code)
		case call.AsIssuedUser && r.UserID != s.account.UIN+":upload-client":
			t.Errorf("%s %s: the issued credential is %s", call.SignMethod, call.Method, r.UserID)
		case call.Action == GetCallerIdentity && r.PrincipalID != s.account.UIN:
			t.Errorf("%s %s: the key is %s's", call.SignMethod, call.Method, r.PrincipalID)
		case call.Action == GetFederationToken && (r.Credentials.Token == "" || r.ExpiredTime == 0):
			t.Errorf("%s %s: no whole credential", call.SignMethod, call.Method)
		}
	}
	for i, code := range codes {
		if r := got[taken+i]; r.Code != code || r.RequestID == "" {
			t.Errorf("%s: got %q, want %s", calls[taken+i].SignMethod, r.Code, code)
		}
	}
}

// runNode gives input to a script of testdata and reads its results. environment is added to this process's.
func runNode(t *testing.T, script string, input, results any, environment ...string) {
	t.Helper()
	node := exec.CommandContext(t.Context(), "node", script)
	node.Dir = installNodeSDK(t)
	node.Env = append(os.Environ(), environment...)
	runJSON(t, node, input, results)
}

// runJSON runs cmd with input as JSON on stdin, as keys are in it: neither arguments nor environment. It reads
// results from its stdout.
func runJSON(t *testing.T, cmd *exec.Cmd, input, results any) {
	t.Helper()
	text, err := json.Marshal(input)
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stdin = bytes.NewReader(text)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	output, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v: %v\n%s", cmd.Args, err, stderr.String())
	}
	if err := json.Unmarshal(output, results); err != nil {
		t.Fatalf("%v prints no results: %v", cmd.Args, err)
	}
}

// installNodeSDK makes a directory with the scripts and the SDKs of testdata/package.json, in $TCRED_TEST_CACHE if
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
	for _, name := range []string{"package.json", "sdk.js", "cos.js"} {
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
