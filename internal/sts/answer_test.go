package sts

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/tcred/tcred/api"
	"github.com/tcred/tcred/internal/say"
)

func TestACredentialEndsAMinuteEarlyAndNeverOutlivesWhatWasAsked(t *testing.T) {
	unix := func(d time.Duration) string { return fmt.Sprintf(`"ExpiredTime":%d`, now.Add(d).Unix()) }
	for _, tt := range []struct {
		name, expiry string
		lives        time.Duration // of an hour asked for; 0: refused
	}{
		{"as asked", unix(time.Hour) + `,"Expiration":"2026-11-21T10:00:00Z"`, 59 * time.Minute},
		{"Expiration is null", unix(time.Hour) + `,"Expiration":null`, 59 * time.Minute},
		{"ExpiredTime is missing", `"Expiration":"2026-11-21T10:00:00Z"`, 59 * time.Minute},
		{"ExpiredTime is null", `"ExpiredTime":null,"Expiration":"2026-11-21T09:30:00Z"`, 29 * time.Minute},
		{"shorter than asked", unix(30 * time.Minute), 29 * time.Minute},
		{"longer than asked: this clock is behind", unix(3 * time.Hour), 59 * time.Minute},
		{"beyond any calendar", `"ExpiredTime":18446744073709551615`, 59 * time.Minute},
		{"over already", unix(-time.Second), 0},
		{"over within the minute", unix(time.Minute), 0},
		{"neither field", `"Expiration":null`, 0},
		{"an Expiration that is no time", `"Expiration":"soon"`, 0},
		{"an ExpiredTime before 1970", `"ExpiredTime":-1`, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c, err := federate(t, start(t, granting(tt.expiry)), FederationRequest{Duration: time.Hour})
			if tt.lives == 0 {
				if api.CodeOf(err) != api.STSAnswer || !c.IsZero() {
					t.Errorf("got %v, %v", c, err)
				}
				return
			}
			if err != nil || !c.Expires.Equal(now.Add(tt.lives)) || !c.Issued.Equal(now) || c.RequestID != testRequest {
				t.Errorf("lives %v, %v, request %q", c.Duration(), err, c.RequestID)
			}
		})
	}
}

func TestACredentialIsWholeAndWithinThePagesLimits(t *testing.T) {
	answer := func(token, id, key string) string {
		return fmt.Sprintf(`{"Response":{"Credentials":{"Token":%q,"TmpSecretId":%q,"TmpSecretKey":%q},"ExpiredTime":%d}}`,
			token, id, key, now.Add(time.Hour).Unix())
	}
	long := strings.Repeat("x", 5000)
	for _, tt := range []struct {
		name, body string
		ok         bool
	}{
		{"the largest", answer(long[:4096], long[:1024], long[:1024]), true},
		{"no token", answer("", "i", "k"), false},
		{"no id", answer("t", "", "k"), false},
		{"no key", answer("t", "i", ""), false},
		{"a token too long", answer(long[:4097], "i", "k"), false},
		{"an id too long", answer("t", long[:1025], "k"), false},
		{"a key too long", answer("t", "i", long[:1025]), false},
		{"a token of two lines", answer("t\nt", "i", "k"), false},
		{"no credentials", `{"Response":{"ExpiredTime":1}}`, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c, err := federate(t, start(t, says(tt.body)), FederationRequest{})
			if tt.ok != (err == nil) || tt.ok == c.IsZero() || (err != nil && api.CodeOf(err) != api.STSAnswer) {
				t.Errorf("got %v, %v", c, err)
			}
		})
	}
}

func TestAnAnswerThatIsNotOfSTSIsNamedAndNeverQuoted(t *testing.T) {
	for _, tt := range []struct {
		body string
		says string
	}{
		{"", "nothing (200 OK)"},
		{"  \n", "nothing (200 OK)"},
		{"<html>canary</html>", "an HTML page (200 OK)"},
		{`{"Response":{"Credentials":{"Token":"canary`, "an answer cut short after 43 bytes (200 OK)"},
		{`{"Response":{canary}}`, "something that is not JSON (200 OK)"},
		{"\x00\x01canary", "something that is not JSON (200 OK)"},
		{"null", "JSON that is not an STS answer (200 OK)"},
		{`["canary"]`, "JSON that is not an STS answer (200 OK)"},
		{`{"Response":null}`, "JSON that is not an STS answer (200 OK)"},
		{`{"code":4100,"codeDesc":"canary"}`, "JSON that is not an STS answer (200 OK)"},
		{`{"Response":{"Credentials":{"Token":"canary"},"Error":{"Code":"canary"}}}`, "credentials in an answer that is damaged"},
		{`{"Response":{"Credentials":"canary","RequestId":"` + testRequest + `"}}`, "credentials in an answer that is damaged, request 59a5e07e"},
		{strings.Repeat(" ", maxAnswer) + "{}", "more than 1 MiB (200 OK)"},
		{strings.Repeat("[", maxAnswer/2), "something that is not JSON (200 OK)"},
	} {
		c := start(t, says(tt.body))
		_, err := federate(t, c, FederationRequest{})
		want := c.Host() + " answered with " + tt.says + ", not as STS does"
		if api.CodeOf(err) != api.STSAnswer || err.Error() != want {
			t.Errorf("%.60q: got %v, want %v", tt.body, err, want)
		}
		if _, err := c.CallerIdentity(t.Context(), testID, "k", ""); api.CodeOf(err) != api.STSAnswer {
			t.Errorf("identity: %.60q: got %v", tt.body, err)
		}
	}
}

func TestOtherStatusesAreToldApart(t *testing.T) {
	status := func(code int, body string) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(code); io.WriteString(w, body) }
	}
	for _, tt := range []struct {
		name   string
		handle http.HandlerFunc
		code   api.Code
		says   string
	}{
		{"a gateway's page", status(502, "<html>"), api.STSAnswer, "an HTML page (502 Bad Gateway)"},
		{"an STS error under 500", status(500, `{"Response":{"Error":{"Code":"InternalError"}}}`), api.STSTransient, "InternalError"},
		{"a credential under 500", status(500, `{"Response":{"Credentials":{"Token":"canary"}}}`), api.STSAnswer, "damaged"},
		{"an empty answer object under 500", status(500, `{"Response":{}}`), api.STSTransient, "a status other than 200"},
		{"a redirect", func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path != "/" {
				t.Error("the redirect was followed")
			}
			http.Redirect(w, r, "/canary", http.StatusTemporaryRedirect)
		}, api.STSAnswer, "a redirect (307 Temporary Redirect)"},
		{"deflate", func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Encoding", "deflate")
			io.WriteString(w, "canary")
		}, api.STSAnswer, "an encoding nobody asked for"},
		{"an event stream", func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", "text/event-stream")
			failing("UnauthorizedOperation", "")(w, r)
		}, api.STSPermission, "UnauthorizedOperation"},
		{"a connection lost in mid-answer", func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Length", "1000")
			io.WriteString(w, `{"Response":{"Credentials":{"Token":"canary"`)
		}, api.STSAnswer, "cut short after 44 bytes"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := federate(t, start(t, tt.handle), FederationRequest{})
			if api.CodeOf(err) != tt.code || !strings.Contains(err.Error(), tt.says) || strings.Contains(err.Error(), "canary") {
				t.Errorf("got %s %v", api.CodeOf(err), err)
			}
		})
	}
}

// Under a 5xx something is in trouble, which passes; under any other status something else answers, which does not.
func TestTheHintGoesByTheStatus(t *testing.T) {
	for status, hint := range map[int]string{200: "does something else answer", 403: "does something else answer", 502: "try again", 503: "try again"} {
		_, err := federate(t, start(t, func(w http.ResponseWriter, r *http.Request) {
			w.WriteHeader(status)
			io.WriteString(w, "no healthy upstream")
		}), FederationRequest{})
		if got := api.AsError(err).Hint; !strings.Contains(got, hint) {
			t.Errorf("%d: hint %q, want one with %q", status, got, hint)
		}
	}
}

func TestAnIdentityNeedsAnAccountAndAnArn(t *testing.T) {
	for _, body := range []string{
		`{"Response":{}}`, `{"Response":{"AccountId":"1"}}`, `{"Response":{"AccountId":"1","Arn":"a\u001b[2J"}}`, `{"Response":{"AccountId":1}}`,
	} {
		if id, err := start(t, says(body)).CallerIdentity(t.Context(), testID, "k", ""); api.CodeOf(err) != api.STSAnswer {
			t.Errorf("%s: got %+v, %v", body, id, err)
		}
	}
}

func TestAnIdentitysFieldsAreBounded(t *testing.T) {
	for field, limit := range map[string]int{"Type": 256, "AccountId": 256, "UserId": 256, "PrincipalId": 256, "Arn": 1024} {
		for _, length := range []int{limit, limit + 1} {
			identity := map[string]string{"AccountId": "1", "Arn": "a"}
			identity[field] = strings.Repeat("1", length)
			body, err := json.Marshal(map[string]any{"Response": identity})
			if err != nil {
				t.Fatal(err)
			}
			_, err = start(t, says(string(body))).CallerIdentity(t.Context(), testID, "k", "")
			refused := api.CodeOf(err) == api.STSAnswer && strings.Contains(err.Error(), fmt.Sprintf("%s of %d bytes", field, length))
			if length > limit && !refused || length == limit && err != nil {
				t.Errorf("%s of %d bytes: %v", field, length, err)
			}
		}
	}
}

// A status line may go on with any words, which Go takes up to its limit for headers.
func TestTheWordsOfAStatusAreNotTheServers(t *testing.T) {
	for status, want := range map[string]string{
		"502 canary\x1b[2J" + strings.Repeat("y", 10000): "(502 Bad Gateway)",
		"599 canary":       "(599)",
		"302 canary\x1b]0": "(302 Found)",
	} {
		c := start(t, func(w http.ResponseWriter, r *http.Request) {
			conn, _, err := http.NewResponseController(w).Hijack()
			if err != nil {
				t.Error(err)
				return
			}
			defer conn.Close()
			fmt.Fprintf(conn, "HTTP/1.1 %s\r\nContent-Length: 5\r\nConnection: close\r\n\r\nhello", status)
		})
		_, err := federate(t, c, FederationRequest{})
		_, probeErr := c.Probe(t.Context()) // no Date
		for _, err := range []error{err, probeErr} {
			if api.CodeOf(err) != api.STSAnswer || !strings.Contains(err.Error(), want) || strings.Contains(say.Text(api.AsError(err)), "canary") {
				t.Errorf("%.200v, want %s", err, want)
			}
		}
	}
}

// answering is a transport that answers every request with itself.
type answering []byte

func (a answering) RoundTrip(r *http.Request) (*http.Response, error) {
	return &http.Response{Status: "200 OK", StatusCode: 200, Header: http.Header{}, Body: io.NopCloser(bytes.NewReader(a)), Request: r}, nil
}

// FuzzAnswer: of any body there comes a credential that is whole, alive and no longer than asked, or an error
// with a code and one printable line that holds no part of a credential.
func FuzzAnswer(f *testing.F) {
	triple := `"Credentials":{"Token":"canary-token","TmpSecretId":"AKIDcanary","TmpSecretKey":"canary-tmp-key"}`
	for _, seed := range []string{
		fmt.Sprintf(`{"Response":{%s,"ExpiredTime":%d,"Expiration":null,"RequestId":"%s"}}`, triple, now.Add(time.Hour).Unix(), testRequest),
		`{"Response":{` + triple + `,"Expiration":"2026-11-21T10:00:00Z"}}`,
		`{"Response":{` + triple + `,"Error":{"Code":"canary-token","Message":"canary-token"}}}`,
		`{"Response":{` + triple + `},"code":1,"codeDesc":"canary-token"}`,
		`{"Response":{"Error":{"Code":"AuthFailure.SignatureExpire","Message":"late\u001b"},"RequestId":"x"}}`,
		`null`, `{"Response":null}`, `<html>canary-token`, `{"response":{` + triple, ``,
	} {
		f.Add([]byte(seed))
	}
	const asked = time.Hour
	client := newClient(f, Options{})
	f.Fuzz(func(t *testing.T, body []byte) {
		client.transport = answering(body)
		c, err := federate(t, client, FederationRequest{Duration: asked})
		if err == nil {
			if c.IsZero() || !c.Expires.After(now) || c.Expires.After(now.Add(asked-time.Minute)) || !c.Issued.Equal(now) ||
				len(c.Token) > 4096 || len(c.SecretID) > 1024 || len(c.SecretKey) > 1024 {
				t.Fatalf("%q made %v issued %v", body, c, c.Issued)
			}
			return
		}
		e := api.AsError(err)
		if e.Code == "" || e.Hint == "" || !c.IsZero() || strings.ContainsFunc(e.Message+e.Hint, func(r rune) bool { return r < ' ' }) {
			t.Fatalf("%q made %+v", body, e)
		}
		for _, secret := range secretsOf(body) {
			if len(secret) >= 8 && strings.Contains(fmt.Sprintf("%s %+v %+v", say.Text(e), e, e.Cause), secret) {
				t.Fatalf("%q: the error holds a part of the credential: %s", body, say.Text(e))
			}
		}
	})
}

// secretsOf lists the credential parts in body, if it is JSON.
func secretsOf(body []byte) []string {
	var v struct {
		Response struct {
			Credentials struct{ Token, TmpSecretKey string }
		}
	}
	json.Unmarshal(body, &v)
	return []string{v.Response.Credentials.Token, v.Response.Credentials.TmpSecretKey}
}
