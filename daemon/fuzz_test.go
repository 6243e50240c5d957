package daemon

import (
	"bufio"
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/tcred/tcred/api"
	"github.com/tcred/tcred/internal/broker/brokertest"
	"github.com/tcred/tcred/internal/say"
)

// offline is a service whose handler is called directly, with STS at hand.
func offline(t testing.TB) *service {
	w := brokertest.New(t, 2*time.Hour)
	w.STS.Latency, w.STS.Token = 0, "the-token"
	s := newService(w)
	s.server.Broker = newBrokerAt(w, 1<<20) // a fuzzer refreshes more often than anybody may
	s.server.Log = slog.New(slog.DiscardHandler)
	s.server.stop = func() {}
	s.server.started = time.Now()
	t.Cleanup(s.server.relock.cancel)
	return s
}

// FuzzRequest sends what parses as an HTTP request to the handlers, from our user or from another one.
func FuzzRequest(f *testing.F) {
	for _, seed := range []string{
		"GET /v1/credentials/p HTTP/1.1\r\nHost: t\r\nAccept: text/plain\r\n\r\n",
		"GET /v1/credentials/p?format=env&min_ttl=20m HTTP/1.1\r\nHost: t\r\n\r\n",
		"GET /v1/credentials/p?format=x%0a&min_ttl=%0a HTTP/1.1\r\nHost: t\r\nAccept: text/plain\r\n\r\n",
		"HEAD /v1/credentials/%2e%2e?a=1&a=2 HTTP/1.0\r\n\r\n",
		"GET /v1/x%0d%0atcred:%20hint:%20rm HTTP/1.1\r\nHost: t\r\nAccept: text/plain\r\n\r\n",
		"GET /v1/status HTTP/1.1\r\nHost: t\r\nTcred-Config: /tmp/\xff\t\r\n\r\n",
		"GET /v1/lock HTTP/1.1\r\nHost: t\r\nTcred-Config: /tmp/\xff\t\r\nAccept: text/plain\r\n\r\n",
		"DELETE /v1/credentials HTTP/1.1\r\nHost: t\r\n\r\n",
		"POST /v1/credentials/p/refresh HTTP/1.1\r\nHost: t\r\nContent-Length: 0\r\n\r\n",
		"POST /v1/unlock HTTP/1.1\r\nHost: t\r\nContent-Length: 33\r\n\r\n{\"passphrase\":\"secret\",\"for\":\"8\"}",
		"POST /v1/unlock HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
		"POST /v1/stop HTTP/1.1\r\nHost: t\r\nContent-Length: 999999999\r\n\r\n",
		"CONNECT t:80 HTTP/1.1\r\nHost: t\r\n\r\n",
		"OPTIONS * HTTP/1.1\r\nHost: t\r\n\r\n",
		"GET http://t//v1/../v1/identity/p HTTP/1.1\r\nHost: t\r\n\r\n",
		"GET /v1/keys/p/identity HTTP/1.1\r\nHost: t\r\nTcred-Person: 1\r\n\r\n",
	} {
		f.Add(seed, false)
		f.Add(seed, true)
	}
	s := offline(f)
	handler := s.server.handler()
	f.Fuzz(func(t *testing.T, raw string, stranger bool) {
		r, err := http.ReadRequest(bufio.NewReader(strings.NewReader(raw)))
		if err != nil {
			return // net/http answers for itself
		}
		peer := Peer{UID: ourUID}
		if stranger {
			peer.UID = 0
		}
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, r.WithContext(context.WithValue(t.Context(), peerKey{}, peer)))
		checkReply(t, r, w, stranger)
	})
}

// mayFail is every code that these requests can end with: the world behind the handlers is well.
var mayFail = []api.Code{api.BadRequest, api.NotFound, api.TooLarge, api.Forbidden, api.NoProfile, api.NoKey, api.ConfigMismatch}

func checkReply(t *testing.T, r *http.Request, w *httptest.ResponseRecorder, stranger bool) {
	t.Helper()
	body := w.Body.String()
	if w.Header().Get("Content-Length") != strconv.Itoa(len(body)) || w.Header().Get(api.HeaderVersion) != api.Version {
		t.Errorf("headers %v for %d bytes", w.Header(), len(body))
	}
	isCredential := w.Code == 200 && strings.HasPrefix(r.URL.Path, api.PathCredentials) && (r.Method == "GET" || r.Method == "HEAD")
	if got := strings.Contains(body, "the-token") || strings.Contains(body, "tmp key"); got != isCredential {
		t.Errorf("a credential came: %t, for %s %q with status %d", got, r.Method, r.URL, w.Code)
	}
	if stranger && w.Code != api.Forbidden.Status() {
		t.Errorf("a stranger got %d", w.Code)
	}
	switch mediaType := w.Header().Get("Content-Type"); {
	case w.Code == 200 && (isCredential || json.Valid([]byte(body))):
	case mediaType == api.TypeProblem:
		var p api.Problem
		if err := json.Unmarshal([]byte(body), &p); err != nil || p.Status != w.Code || p.Code.Status() != w.Code || !slices.Contains(mayFail, p.Code) {
			t.Errorf("%d %q: %v", w.Code, body, err)
		}
		checkLine(t, p.Detail)
		checkLine(t, p.Hint)
	default:
		checkText(t, w.Header().Get(api.HeaderExit), body)
	}
}

// checkText checks the lines for stderr: an error, and perhaps a hint.
func checkText(t *testing.T, exit, body string) {
	t.Helper()
	if n, err := strconv.Atoi(exit); err != nil || n < 1 {
		t.Errorf("%s is %q", api.HeaderExit, exit)
	}
	text, whole := strings.CutSuffix(body, "\n")
	line, hint, hinted := strings.Cut(text, "\n")
	if !whole || !strings.HasPrefix(line, say.ErrorPrefix) || hinted && !strings.HasPrefix(hint, say.HintPrefix) {
		t.Errorf("for stderr: %q", body)
	}
	checkLine(t, line)
	checkLine(t, hint)
}

func checkLine(t *testing.T, line string) {
	t.Helper()
	if strings.ContainsFunc(line, unicode.IsControl) {
		t.Errorf("control characters in %q", line)
	}
}

// BenchmarkWarmHit is a request that memory answers, without its connection.
func BenchmarkWarmHit(b *testing.B) {
	handler := offline(b).server.handler()
	r := httptest.NewRequest("GET", api.PathCredentials+"p", nil)
	r = r.WithContext(context.WithValue(r.Context(), peerKey{}, Peer{UID: ourUID}))
	w := httptest.NewRecorder()
	b.ReportAllocs()
	for b.Loop() {
		w.Body.Reset()
		handler.ServeHTTP(w, r)
		if w.Code != 200 {
			b.Fatal(w.Body)
		}
	}
}
