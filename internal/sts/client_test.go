package sts

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tcred/tcred/api"
	"github.com/tcred/tcred/credential"
	"github.com/tcred/tcred/internal/policy"
)

const (
	testID      = "AKIDz8krbsJ5yKBZQpn74WFkmLPx3EXAMPLEfQv6"
	testRequest = "59a5e07e-4147-4d2e-a808-dca76ac5b3fd"
)

const testKey credential.Secret = "canary-secret-key-of-the-tests"

// now is the tests' wall clock. The SDK signs by the real one, which nothing here verifies.
var now = time.Date(2026, 11, 21, 9, 0, 0, 0, time.UTC)

// start answers every request with handle and returns a client of it.
func start(t testing.TB, handle http.HandlerFunc) *Client {
	t.Helper()
	server := httptest.NewServer(handle)
	t.Cleanup(server.Close)
	return newClient(t, Options{Endpoint: mustURL(t, server.URL)})
}

func mustURL(t testing.TB, text string) *url.URL {
	t.Helper()
	u, err := url.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	return u
}

func newClient(t testing.TB, o Options) *Client {
	t.Helper()
	if o.Now == nil {
		o.Now = func() time.Time { return now }
	}
	if o.Region == "" {
		o.Region = "ap-guangzhou"
	}
	c, err := NewClient(o)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// says answers with one body.
func says(body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, body) }
}

// failing answers with one error code, as STS does: status 200.
func failing(code, message string) http.HandlerFunc {
	return says(fmt.Sprintf(`{"Response":{"Error":{"Code":%q,"Message":%q},"RequestId":%q}}`, code, message, testRequest))
}

// granting answers with a credential; expiry is the JSON of its two expiry fields.
func granting(expiry string) http.HandlerFunc {
	return says(`{"Response":{"Credentials":{"Token":"canary-token","TmpSecretId":"AKIDtmp","TmpSecretKey":"canary-tmp-key"},` +
		expiry + `,"RequestId":"` + testRequest + `"}}`)
}

func federate(t testing.TB, c *Client, r FederationRequest) (credential.Credential, error) {
	t.Helper()
	if r.Name == "" {
		r.Name = "upload"
	}
	if r.Policy == "" {
		r.Policy = policy.DenyAll
	}
	if r.Duration == 0 {
		r.Duration = 30 * time.Minute
	}
	return c.FederationToken(t.Context(), testID, testKey, r)
}

func TestFederationTokenSendsWhatThePageAsksForWithThePolicyEncodedOnce(t *testing.T) {
	const uploads = `{"version":"2.0","statement":[{"effect":"allow","action":"name/cos:*","resource":"qcs::cos::uid/1:桶-1/a b+c%2F*"}]}`
	var header http.Header
	var body map[string]any
	c := start(t, func(w http.ResponseWriter, r *http.Request) {
		header = r.Header
		json.NewDecoder(r.Body).Decode(&body)
		granting(fmt.Sprintf(`"ExpiredTime":%d`, now.Add(2*time.Hour).Unix()))(w, r)
	})
	if _, err := federate(t, c, FederationRequest{Policy: uploads, Duration: 2 * time.Hour}); err != nil {
		t.Fatal(err)
	}
	sent, err := url.QueryUnescape(body["Policy"].(string))
	if err != nil || sent != uploads || strings.ContainsAny(body["Policy"].(string), `{" `) {
		t.Errorf("policy on the wire is %q, which decodes to %q, %v", body["Policy"], sent, err)
	}
	if body["Name"] != "upload" || body["DurationSeconds"] != 7200.0 || len(body) != 3 {
		t.Errorf("body is %v", body)
	}
	for name, want := range map[string]string{
		"X-TC-Action": "GetFederationToken", "X-TC-Version": "2018-08-13", "X-TC-Region": "ap-guangzhou",
		"X-TC-Language": "en-US", "Content-Type": "application/json", "X-TC-Token": "",
	} {
		if got := header.Get(name); got != want {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
	if got := header.Get("X-TC-RequestClient"); !strings.HasSuffix(got, ": tcred-"+api.Version) {
		t.Errorf("X-TC-RequestClient is %q", got)
	}
}

func TestLanguageIsChineseOnlyWhenAskedFor(t *testing.T) {
	for set, want := range map[string]string{"": "en-US", "en": "en-US", "zh": "zh-CN"} {
		var got string
		server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { got = r.Header.Get("X-TC-Language") }))
		federate(t, newClient(t, Options{Endpoint: mustURL(t, server.URL), Language: set}), FederationRequest{})
		server.Close()
		if got != want {
			t.Errorf("language %q goes out as %q, want %q", set, got, want)
		}
	}
}

func TestAFailedCallIsNotRepeated(t *testing.T) {
	for _, code := range []string{"RequestLimitExceeded", "InternalError.DbError"} {
		calls := 0
		c := start(t, func(w http.ResponseWriter, r *http.Request) { calls++; failing(code, "busy")(w, r) })
		if _, err := federate(t, c, FederationRequest{}); err == nil || calls != 1 {
			t.Errorf("%s: %d calls, %v", code, calls, err)
		}
	}
}

func TestCallerIdentityKeepsAllFiveFieldsAndTheRequestID(t *testing.T) {
	var token string
	c := start(t, func(w http.ResponseWriter, r *http.Request) {
		token = r.Header.Get("X-TC-Token")
		says(`{"Response":{"Type":"CAMUser","AccountId":"100000000001","UserId":"100000000002:upload","PrincipalId":"100000000002",
			"Arn":"qcs::sts:100000000001:federated-user/100000000002","RequestId":"`+testRequest+`"}}`)(w, r)
	})
	got, err := c.CallerIdentity(t.Context(), "AKIDtmp", "tmp-key", "tmp-token")
	want := api.Identity{
		Type: "CAMUser", AccountID: "100000000001", UserID: "100000000002:upload", PrincipalID: "100000000002",
		Arn: "qcs::sts:100000000001:federated-user/100000000002", RequestID: testRequest,
	}
	if err != nil || got != want || token != "tmp-token" {
		t.Errorf("got %+v, %v with token %q", got, err, token)
	}
}

func TestALifeOfLessThanASecondIsRefusedUnasked(t *testing.T) {
	c := start(t, func(http.ResponseWriter, *http.Request) { t.Error("STS was asked") })
	for _, d := range []time.Duration{-time.Hour, 0, time.Millisecond} {
		if _, err := c.FederationToken(t.Context(), testID, testKey, FederationRequest{Name: "upload", Duration: d}); api.CodeOf(err) != api.STSRequest {
			t.Errorf("%v: %v", d, err)
		}
	}
}

func TestACanceledCallEndsAtOnce(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	c := start(t, func(_ http.ResponseWriter, r *http.Request) {
		io.Copy(io.Discard, r.Body) // or the server does not notice that the client left
		cancel()
		<-r.Context().Done()
	})
	_, err := c.FederationToken(ctx, testID, testKey, FederationRequest{Name: "upload", Policy: policy.DenyAll, Duration: time.Hour})
	if api.CodeOf(err) != api.Unreachable || !strings.Contains(err.Error(), "context canceled") {
		t.Errorf("got %v", err)
	}
}

func TestAClientPrintsNoSecret(t *testing.T) {
	c := newClient(t, Options{Proxy: mustURL(t, "http://user:canary-proxy@proxy.corp:8080")})
	if text := fmt.Sprintf("%v %+v %#v", c, c, c); strings.Contains(text, "canary") {
		t.Error(text)
	}
}

// silent is an STS that never answers.
type silent struct{}

func (silent) RoundTrip(r *http.Request) (*http.Response, error) {
	<-r.Context().Done()
	return nil, r.Context().Err()
}

func TestSTSGetsTenSeconds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, began := newClient(t, Options{}), time.Now()
		c.transport = silent{}
		_, err := federate(t, c, FederationRequest{})
		want := "cannot reach sts.tencentcloudapi.com:443 (i/o timeout); the daemon uses no proxy"
		if err == nil || err.Error() != want || time.Since(began) != 10*time.Second {
			t.Errorf("after %v: %v", time.Since(began), err)
		}
	})
}
