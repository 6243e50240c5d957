package emulator

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"
)

func TestCommonParametersAreRequired(t *testing.T) {
	w := newWorld(t, Options{})
	for name, c := range map[string]struct{ header, value, code string }{
		"no Action":       {"X-TC-Action", "", "MissingParameter"},
		"no Version":      {"X-TC-Version", "", "MissingParameter"},
		"no Region":       {"X-TC-Region", "", "MissingParameter"},
		"another Action":  {"X-TC-Action", "GetSessionToken", "InvalidAction"},
		"another Version": {"X-TC-Version", "2018-08-14", "NoSuchVersion"},
	} {
		t.Run(name, func(t *testing.T) {
			r := post(keyOf(w.root), GetCallerIdentity, struct{}{}, noon)
			r.Header.Set(c.header, c.value)
			w.ask(t, r).wantCode(t, c.code)
		})
	}
}

func TestBodyIsOneJSONObjectWithinBounds(t *testing.T) {
	w := newWorld(t, Options{})
	for name, c := range map[string]struct{ body, code string }{
		"an object":        {`{}`, ""},
		"a null parameter": {`{"Name":null}`, ""},
		"nothing":          {``, "InvalidParameter"},
		"a list":           {`[]`, "InvalidParameter"},
		"two objects":      {`{}{}`, "InvalidParameter"},
		"half an object":   {`{"Name":`, "InvalidParameter"},
		"a new parameter":  {`{"Nmae":"x"}`, "UnknownParameter"},
		"too much":         {`{"Name":"` + strings.Repeat("x", maxBody) + `"}`, "RequestSizeLimitExceeded"},
	} {
		t.Run(name, func(t *testing.T) {
			w.clock.advance(time.Second) // for the quota's sake
			r := httptest.NewRequest(http.MethodPost, "http://"+testHost+"/", bytes.NewReader([]byte(c.body)))
			r.Header.Set("Content-Type", "application/json")
			w.ask(t, signed(r, keyOf(w.root), GetCallerIdentity, []byte(c.body), w.clock.now())).wantCode(t, c.code)
		})
	}
}

func TestMethodAndContentTypeAreTheDocumentedOnes(t *testing.T) {
	w := newWorld(t, Options{})
	for name, c := range map[string]struct{ method, kind, code string }{
		"POST of JSON":            {http.MethodPost, "application/json", ""},
		"POST of JSON in UTF-8":   {http.MethodPost, "application/json; charset=utf-8", ""},
		"POST of a form":          {http.MethodPost, "application/x-www-form-urlencoded", "UnsupportedProtocol"},
		"POST of nothing special": {http.MethodPost, "", "UnsupportedProtocol"},
		"GET of JSON":             {http.MethodGet, "application/json", "UnsupportedProtocol"},
		"PUT":                     {http.MethodPut, "application/json", "UnsupportedProtocol"},
	} {
		t.Run(name, func(t *testing.T) {
			r := httptest.NewRequest(c.method, "http://"+testHost+"/", strings.NewReader("{}"))
			r.Header.Set("Content-Type", c.kind)
			w.ask(t, signed(r, keyOf(w.root), GetCallerIdentity, []byte("{}"), noon)).wantCode(t, c.code)
		})
	}
}

// The GET form of the STS page: the policy is encoded twice, by the caller and by the query; the common
// parameters may be in the query too.
func TestGetFormOfTheSeedPage(t *testing.T) {
	w := newWorld(t, Options{})
	params := url.Values{"Name": {"SUN"}, "Policy": {url.QueryEscape(allowAll)}, "DurationSeconds": {"900"}}
	got := w.ask(t, get(keyOf(w.root), GetFederationToken, params, noon))
	got.wantCode(t, "")
	if want := noon.Unix() + 900; got.ExpiredTime != want {
		t.Errorf("ExpiredTime %d, want %d", got.ExpiredTime, want)
	}

	params.Set("Action", GetFederationToken)
	params.Set("Version", Version)
	params.Set("Region", "ap-guangzhou")
	r := get(keyOf(w.root), GetFederationToken, params, noon)
	for _, name := range []string{"Action", "Version", "Region"} {
		r.Header.Del("X-TC-" + name)
	}
	w.ask(t, r).wantCode(t, "")
	if n := w.Calls(GetFederationToken); n != 2 {
		t.Errorf("%d calls counted, want 2", n)
	}
}

func TestGetFormIsAsStrict(t *testing.T) {
	w := newWorld(t, Options{})
	good := url.QueryEscape(allowAll)
	for name, c := range map[string]struct {
		params url.Values
		code   string
	}{
		"encoded by the query alone": {url.Values{"Name": {"SUN"}, "Policy": {allowAll}}, "InvalidParameter.StrategyFormatError"},
		"a duration in words":        {url.Values{"Name": {"SUN"}, "Policy": {good}, "DurationSeconds": {"1h"}}, "InvalidParameter"},
		"a name given twice":         {url.Values{"Name": {"SUN", "MOON"}, "Policy": {good}}, "InvalidParameter"},
		"a new parameter":            {url.Values{"Name": {"SUN"}, "Policy": {good}, "Nmae": {"x"}}, "UnknownParameter"},
		"too long":                   {url.Values{"Name": {strings.Repeat("a", maxQuery)}}, "RequestSizeLimitExceeded"},
	} {
		t.Run(name, func(t *testing.T) {
			w.ask(t, get(keyOf(w.root), GetFederationToken, c.params, noon)).wantCode(t, c.code)
		})
	}
	tampered := get(keyOf(w.root), GetFederationToken, url.Values{"Name": {"SUN"}, "Policy": {good}}, noon)
	tampered.URL.RawQuery += "&DurationSeconds=7200"
	w.ask(t, tampered).wantCode(t, "AuthFailure.SignatureFailure")
}

func TestOtherPathsAreNotFound(t *testing.T) {
	w := newWorld(t, Options{})
	rec := httptest.NewRecorder()
	w.ServeHTTP(rec, httptest.NewRequest(http.MethodGet, "/favicon.ico", nil))
	if rec.Code != http.StatusNotFound || w.Calls("") != 0 {
		t.Errorf("status %d, %d calls; want 404 and no call", rec.Code, w.Calls(""))
	}
}
