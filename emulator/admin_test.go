package emulator

import (
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
	r.RemoteAddr = peer
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
