package emulator

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"time"
)

// AdminPath is below which an emulator takes orders, as JSON, from this machine only, and from no page in a browser:
//
//	GET    /_emulator/calls   how many calls arrived: {"total":2,"GetFederationToken":1,"GetCallerIdentity":1}
//	POST   /_emulator/faults  a Fault: {"action":"GetFederationToken","times":1,"status":502,"code":"InternalError",
//	                          "message":"…","delay":"2s","body":"cut","lifetime":"10m","skew":"-10m"}; all may be left out
//	DELETE /_emulator/faults  as Heal
//	POST   /_emulator/reset   as Reset
const AdminPath = "/_emulator/"

func (e *Emulator) adminHandler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET "+AdminPath+"calls", e.adminCalls)
	mux.HandleFunc("POST "+AdminPath+"faults", e.adminFail)
	mux.HandleFunc("DELETE "+AdminPath+"faults", func(w http.ResponseWriter, _ *http.Request) {
		e.Heal()
		w.WriteHeader(http.StatusNoContent)
	})
	mux.HandleFunc("POST "+AdminPath+"reset", func(w http.ResponseWriter, _ *http.Request) {
		e.Reset()
		w.WriteHeader(http.StatusNoContent)
	})
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if why := forbidden(r); why != "" {
			http.Error(w, "the admin path is for programs on this machine: "+why, http.StatusForbidden)
			return
		}
		mux.ServeHTTP(w, r)
	})
}

// forbidden says why an order is not taken, "" if it is. A browser on this machine sends what a page from anywhere
// tells it to: with the page's Origin, or by a name of the page's that now leads here (DNS rebinding), with that Host.
func forbidden(r *http.Request) string {
	here := localIP(r)
	switch {
	case !ofThisMachine(r.RemoteAddr, here):
		return "the request comes from another"
	case len(r.Header.Values("Origin")) > 0:
		return "the request comes from a page in a browser (it has an Origin)"
	case !names(r.Host, here):
		return fmt.Sprintf("the Host %.64q is neither loopback nor the address that the emulator listens on", r.Host)
	}
	return ""
}

// localIP is the address that the request came to; nil if it is unknown, or none of TCP.
func localIP(r *http.Request) net.IP {
	if a, ok := r.Context().Value(http.LocalAddrContextKey).(*net.TCPAddr); ok {
		return a.IP
	}
	return nil
}

// ofThisMachine reports whether a peer is on this machine, which it is at here too. Only an IP address can be
// elsewhere.
func ofThisMachine(peer string, here net.IP) bool {
	host, _, err := net.SplitHostPort(peer)
	if err != nil {
		return true
	}
	ip := net.ParseIP(host)
	return ip != nil && (ip.IsLoopback() || ip.Equal(here))
}

// names reports whether a Host header names this machine in a way that no other name can come to: by a loopback
// address or its name, or by the address here.
func names(host string, here net.IP) bool {
	host = strings.Trim(withoutPort(host), "[]")
	ip := net.ParseIP(host)
	return strings.EqualFold(host, "localhost") || ip != nil && (ip.IsLoopback() || ip.Equal(here))
}

func (e *Emulator) adminCalls(w http.ResponseWriter, _ *http.Request) {
	counts := map[string]int64{"total": e.Calls("")}
	for action := range handlers {
		counts[action] = e.Calls(action)
	}
	w.Header().Set("Content-Type", "application/json")
	json.NewEncoder(w).Encode(counts) // the client has gone; nobody is left to tell
}

func (e *Emulator) adminFail(w http.ResponseWriter, r *http.Request) {
	f, err := readFault(http.MaxBytesReader(w, r.Body, maxBody))
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	e.Fail(f)
	w.WriteHeader(http.StatusNoContent)
}

// faultJSON is a Fault as scripts write it, its durations as Go prints them.
type faultJSON struct {
	Action, Code, Message, Body, Delay, Lifetime, Skew string
	Times, Status                                      int
}

func readFault(body io.Reader) (Fault, error) {
	var in faultJSON
	d := json.NewDecoder(body)
	d.DisallowUnknownFields()
	if err := d.Decode(&in); err != nil {
		return Fault{}, fmt.Errorf("not a fault: %w", err)
	}
	f := Fault{
		Action: in.Action, Times: in.Times, Status: in.Status, Code: in.Code, Message: in.Message, Body: Body(in.Body),
	}
	if !slices.Contains(bodies, f.Body) {
		return Fault{}, fmt.Errorf("unknown body %q; known are %q", in.Body, bodies[1:])
	}
	if f.Status != 0 && (f.Status < 200 || f.Status > 599) {
		return Fault{}, fmt.Errorf("status %d is not between 200 and 599", f.Status)
	}
	var errs [3]error
	f.Delay, errs[0] = duration(in.Delay)
	f.Lifetime, errs[1] = duration(in.Lifetime)
	f.Skew, errs[2] = duration(in.Skew)
	return f, errors.Join(errs[:]...)
}

func duration(text string) (time.Duration, error) {
	return time.ParseDuration(cmp.Or(text, "0"))
}
