package emulator

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tcred/tcred/credential"
)

// noon is the emulator's time in tests that need none of their own.
var noon = time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)

// clock is a clock set by hand.
type clock struct {
	mu sync.Mutex
	t  time.Time
}

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.t
}

func (c *clock) advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.t = c.t.Add(d)
}

// world is an emulator at noon with a root account and its sub-account.
type world struct {
	*Emulator
	clock     *clock
	root, sub Account
}

func newWorld(t *testing.T, o Options) world {
	t.Helper()
	w := world{clock: &clock{t: noon}, root: NewAccount(true), sub: NewAccount(false)}
	w.sub.AccountID, w.sub.AppID = w.root.AccountID, w.root.AppID
	o.Accounts, o.Now = []Account{w.root, w.sub}, w.clock.now
	w.Emulator = New(o)
	return w
}

// key is what signs a request.
type key struct {
	id     string
	secret credential.Secret
	token  credential.Secret
}

func keyOf(a Account) key { return key{id: a.SecretID, secret: a.SecretKey} }

func keyOfCredential(c credential.Credential) key { return key{c.SecretID, c.SecretKey, c.Token} }

const testHost = "sts.tencentcloudapi.com"

// post is a signed POST of params.
func post(k key, action string, params any, at time.Time) *http.Request {
	body, err := json.Marshal(params)
	if err != nil {
		panic(err)
	}
	r := httptest.NewRequest(http.MethodPost, "http://"+testHost+"/", bytes.NewReader(body))
	r.Header.Set("Content-Type", "application/json")
	return signed(r, k, action, body, at)
}

// get is a signed GET of params, in the form of the STS pages but for the common parameters, which are headers.
func get(k key, action string, params url.Values, at time.Time) *http.Request {
	r := httptest.NewRequest(http.MethodGet, "http://"+testHost+"/?"+params.Encode(), nil)
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return signed(r, k, action, nil, at)
}

func signed(r *http.Request, k key, action string, body []byte, at time.Time) *http.Request {
	r.Header.Set("X-TC-Action", action)
	r.Header.Set("X-TC-Version", Version)
	r.Header.Set("X-TC-Region", "ap-guangzhou")
	r.Header.Set("X-TC-Timestamp", strconv.FormatInt(at.Unix(), 10))
	if k.token != "" {
		r.Header.Set("X-TC-Token", k.token.Reveal())
	}
	a := authorization{k.id, at.UTC().Format(time.DateOnly), "sts", "content-type;host", strings.Repeat("0", 64)}
	a.signature = a.sign(r, r.Host, body, k.secret)
	r.Header.Set("Authorization", a.String())
	return r
}

// answer is any answer of the emulator.
type answer struct {
	Error       refusal
	RequestID   string `json:"RequestId"`
	Credentials triple
	ExpiredTime int64
	Expiration  *string
	identity
}

// ask sends r and decodes the answer, which is always a 200 with a request id.
func (w world) ask(t *testing.T, r *http.Request) answer {
	t.Helper()
	rec := httptest.NewRecorder()
	w.ServeHTTP(rec, r)
	if rec.Code != http.StatusOK {
		t.Fatalf("status %d, want 200 as for every STS answer", rec.Code)
	}
	var got struct{ Response answer }
	if err := json.Unmarshal(rec.Body.Bytes(), &got); err != nil {
		t.Fatalf("the answer is no JSON: %v", err)
	}
	if len(got.Response.RequestID) != 36 {
		t.Errorf("request id %q, want a UUID", got.Response.RequestID)
	}
	return got.Response
}

// wantCode fails the test unless the answer has that error code; "" is success.
func (a answer) wantCode(t *testing.T, code string) {
	t.Helper()
	if a.Error.Code != code {
		t.Errorf("got code %q (%s), want %q", a.Error.Code, a.Error.Message, code)
	}
}

const allowAll = `{"version":"2.0","statement":[{"effect":"allow","action":"*","resource":"*"}]}`

// federation is a good request's parameters.
func federation() map[string]any {
	return map[string]any{"Name": "upload-client", "Policy": url.QueryEscape(allowAll)}
}

// String is the header as clients send it.
func (a authorization) String() string {
	return algorithm + " Credential=" + a.secretID + "/" + a.scope() +
		", SignedHeaders=" + a.signedHeaders + ", Signature=" + a.signature
}
