package sts

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/tcred/tcred/api"
)

func TestProbeTellsTheClocksApartByAnyAnswer(t *testing.T) {
	for name, status := range map[string]int{"ok": 200, "not found": 404, "a redirect": 302, "an error": 503} {
		t.Run(name, func(t *testing.T) {
			var asked http.Header
			c := start(t, func(w http.ResponseWriter, r *http.Request) {
				asked = r.Header
				w.Header().Set("Date", now.Add(10*time.Minute).Format(http.TimeFormat))
				w.Header().Set("Location", "http://127.0.0.1:1/")
				w.WriteHeader(status)
			})
			ahead, err := c.Probe(t.Context())
			if err != nil || ahead != 10*time.Minute {
				t.Errorf("got %v, %v", ahead, err)
			}
			if asked.Get("Authorization") != "" || asked.Get("X-TC-Action") != "" {
				t.Errorf("the probe was a call: %v", asked)
			}
		})
	}
}

func TestProbeSaysWhatAnsweredInstead(t *testing.T) {
	c := start(t, func(w http.ResponseWriter, _ *http.Request) { w.Header()["Date"] = nil })
	if _, err := c.Probe(t.Context()); api.CodeOf(err) != api.STSAnswer || !strings.Contains(err.Error(), "Date") {
		t.Errorf("got %v", err)
	}
}

func TestProbeEndsWithItsContextAndNamesTheHost(t *testing.T) {
	c := start(t, func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	_, err := c.Probe(ctx)
	if api.CodeOf(err) != api.Unreachable || !strings.Contains(err.Error(), c.Host()) || !strings.Contains(err.Error(), "i/o timeout") {
		t.Errorf("got %v", err)
	}
	server := httptest.NewServer(nil)
	server.Close()
	c = newClient(t, Options{Endpoint: mustURL(t, server.URL)})
	if _, err := c.Probe(t.Context()); api.CodeOf(err) != api.Unreachable || api.AsError(err).Hint == "" {
		t.Errorf("got %v", err)
	}
}
