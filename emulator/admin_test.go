package emulator

import (
	"cmp"
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

// order sends an admin request from peer.
func (w world) order(method, path, body, peer string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, AdminPath+path, strings.NewReader(body))
	r.RemoteAddr, r.Host = peer, "127.0.0.1:8085"
	rec := httptest.NewRecorder()
	w.ServeHTTP(rec, r)
	return rec
}

const here = "127.0.0.1:50000"

func TestScriptsSteerTheEmulator(t *testing.T) {
	w := newWorld(t, Options{})
	if rec := w.order("POST", "faults", `{"action":"GetFederationToken","times":1,"code":"InternalError","delay":"1ms"}`, here); rec.Code != http.StatusNoContent {
		t.Fatalf("status %d: %s", rec.Code, rec.Body)
	}
	w.federate(t).wantCode(t, "InternalError")
	w.federate(t).wantCode(t, "")

	w.order("POST", "faults", `{"code":"InternalError"}`, here)
	w.federate(t).wantCode(t, "InternalError")
	w.order("DELETE", "faults", "", here)
	w.federate(t).wantCode(t, "")

	counts := `{"GetCallerIdentity":0,"GetFederationToken":4,"total":4}`
	if got := strings.TrimSpace(w.order("GET", "calls", "", here).Body.String()); got != counts {
		t.Errorf("calls: %s, want %s", got, counts)
	}
	w.order("POST", "reset", "", here)
	if w.Calls("") != 0 {
		t.Error("reset keeps the counts")
	}
}

func TestFaultsOfScriptsAreReadWhole(t *testing.T) {
	got, err := readFault(strings.NewReader(`{"action":"A","times":3,"status":502,"code":"C","message":"M",
		"body":"cut","delay":"2s","lifetime":"10m","skew":"-10m"}`))
	want := Fault{"A", 3, 2 * time.Second, 502, "C", "M", Cut, 10 * time.Minute, -10 * time.Minute}
	if err != nil || got != want {
		t.Errorf("got %+v, %v; want %+v", got, err, want)
	}
}

func TestBadOrdersAreRefused(t *testing.T) {
	w := newWorld(t, Options{})
	for name, c := range map[string]struct {
		method, path, body, peer string
		status                   int
	}{
		"from another machine":   {"POST", "faults", `{"code":"InternalError"}`, "192.0.2.1:50000", http.StatusForbidden},
		"an unknown field":       {"POST", "faults", `{"cod":"InternalError"}`, here, http.StatusBadRequest},
		"an unknown body":        {"POST", "faults", `{"body":"mangled"}`, here, http.StatusBadRequest},
		"a delay of no unit":     {"POST", "faults", `{"delay":"2"}`, here, http.StatusBadRequest},
		"a status out of bounds": {"POST", "faults", `{"status":99}`, here, http.StatusBadRequest},
		"no JSON":                {"POST", "faults", `fail`, here, http.StatusBadRequest},
		"an unknown path":        {"POST", "fail", `{}`, here, http.StatusNotFound},
		"a wrong method":         {"PUT", "faults", `{}`, here, http.StatusMethodNotAllowed},
	} {
		t.Run(name, func(t *testing.T) {
			if rec := w.order(c.method, c.path, c.body, c.peer); rec.Code != c.status {
				t.Errorf("status %d: %s", rec.Code, rec.Body)
			}
		})
	}
	w.federate(t).wantCode(t, "")
}

func TestOrdersComeFromProgramsOnThisMachineOnly(t *testing.T) {
	w := newWorld(t, Options{})
	lan := &net.TCPAddr{IP: net.IPv4(192, 0, 2, 7), Port: 8085}
	for name, c := range map[string]struct {
		host, peer string
		listen     net.Addr
		origin     []string
		status     int
	}{
		"a loopback address":             {host: "127.0.0.1:8085", status: http.StatusNoContent},
		"another one":                    {host: "127.8.9.1", status: http.StatusNoContent},
		"localhost":                      {host: "LocalHost:8085", status: http.StatusNoContent},
		"IPv6":                           {host: "[::1]:8085", status: http.StatusNoContent},
		"IPv6 without a port":            {host: "[::1]", status: http.StatusNoContent},
		"a name that leads here":         {host: "evil.example:8085", status: http.StatusForbidden},
		"a name that looks like it":      {host: "127.0.0.1.evil.example", status: http.StatusForbidden},
		"localhost of another":           {host: "localhost.evil.example", status: http.StatusForbidden},
		"an address from outside":        {host: "192.0.2.7:8085", status: http.StatusForbidden},
		"no Host":                        {host: "", status: http.StatusForbidden},
		"the address it listens on":      {host: "192.0.2.7:8085", peer: "192.0.2.7:50000", listen: lan, status: http.StatusNoContent},
		"a name for that":                {host: "lan.example:8085", peer: "192.0.2.7:50000", listen: lan, status: http.StatusForbidden},
		"the address, from elsewhere":    {host: "192.0.2.7:8085", peer: "192.0.2.8:50000", listen: lan, status: http.StatusForbidden},
		"a page of another site":         {host: "127.0.0.1:8085", origin: []string{"https://evil.example"}, status: http.StatusForbidden},
		"a page of this very address":    {host: "127.0.0.1:8085", origin: []string{"http://127.0.0.1:8085"}, status: http.StatusForbidden},
		"a page of nowhere":              {host: "127.0.0.1:8085", origin: []string{"null"}, status: http.StatusForbidden},
		"an Origin with nothing in it":   {host: "127.0.0.1:8085", origin: []string{""}, status: http.StatusForbidden},
		"a second Origin that is no one": {host: "127.0.0.1:8085", origin: []string{"", "null"}, status: http.StatusForbidden},
	} {
		t.Run(name, func(t *testing.T) {
			for method, path := range map[string]string{"POST": "reset", "DELETE": "faults", "GET": "calls"} {
				r := httptest.NewRequest(method, AdminPath+path, nil)
				r.Host, r.RemoteAddr = c.host, cmp.Or(c.peer, here)
				if c.origin != nil {
					r.Header["Origin"] = c.origin
				}
				if c.listen != nil {
					r = r.WithContext(context.WithValue(r.Context(), http.LocalAddrContextKey, c.listen))
				}
				rec := httptest.NewRecorder()
				w.ServeHTTP(rec, r)
				want := c.status
				if method == "GET" && want == http.StatusNoContent {
					want = http.StatusOK
				}
				if rec.Code != want {
					t.Errorf("%s: status %d, want %d: %s", method, rec.Code, want, rec.Body)
				}
			}
		})
	}
}

func TestServeEndsWithItsContext(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error)
	go func() { ended <- Serve(ctx, l, New(Options{})) }()
	answer, err := http.Get("http://" + l.Addr().String() + AdminPath + "calls")
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	if body, err := io.ReadAll(answer.Body); err != nil || !strings.Contains(string(body), `"total":0`) {
		t.Errorf("got %s, %v", body, err)
	}
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
	if _, err := net.Dial("tcp", l.Addr().String()); err == nil {
		t.Error("it still listens")
	}
}
