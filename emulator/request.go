package emulator

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strconv"
)

// Bounds of a request in bytes. The real ones are 10 MiB and 32 KiB; no STS call needs a tenth of that body.
const (
	maxBody  = 1 << 20
	maxQuery = 32 << 10
)

// commonNames are the parameters of every call. TC3 puts them into X-TC- headers; the seed page's GET form into the
// query.
var commonNames = []string{"Action", "Version", "Region", "Timestamp", "Token", "Language", "Nonce", "RequestClient"}

// commonParameter is the value of a common parameter, "" if the request has none.
func commonParameter(r *http.Request, name string) string {
	if v := r.Header.Get("X-TC-" + name); v != "" || r.Method != http.MethodGet {
		return v
	}
	return r.URL.Query().Get(name)
}

// readBody reads the whole body, within bounds, of a request in one of the two forms that TC3 allows here.
func readBody(r *http.Request) ([]byte, error) {
	form, ok := map[string]string{
		http.MethodPost: "application/json",
		http.MethodGet:  "application/x-www-form-urlencoded",
	}[r.Method]
	if !ok {
		return nil, refuse("UnsupportedProtocol", "only GET and POST are supported")
	}
	if kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || kind != form {
		return nil, refuse("UnsupportedProtocol", "the Content-Type of a %s request is %s", r.Method, form)
	}
	if len(r.URL.RawQuery) > maxQuery {
		return nil, refuse("RequestSizeLimitExceeded", "the query is over %d bytes", maxQuery)
	}
	body, err := io.ReadAll(io.LimitReader(r.Body, maxBody+1))
	if err != nil {
		return nil, refuse("InvalidRequest", "reading the body: %v", err)
	}
	if len(body) > maxBody {
		return nil, refuse("RequestSizeLimitExceeded", "the body is over %d bytes", maxBody)
	}
	return body, nil
}

// parameters are those of one call, without the common ones: a string, json.Number or other JSON value each,
// or untyped from a query.
type parameters map[string]any

type untyped string

// readParameters reads them from the JSON of a POST or the query of a GET.
func readParameters(r *http.Request, body []byte) (parameters, error) {
	if r.Method == http.MethodGet {
		return queryParameters(r.URL.RawQuery)
	}
	p := make(parameters)
	d := json.NewDecoder(bytes.NewReader(body))
	d.UseNumber()
	if err := d.Decode(&p); err != nil {
		return nil, refuse("InvalidParameter", "the body is no JSON object: %v", err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, refuse("InvalidParameter", "the body goes on after its JSON object")
	}
	for name, v := range p {
		if v == nil {
			delete(p, name) // null is a parameter left out
		}
	}
	return p, nil
}

func queryParameters(query string) (parameters, error) {
	values, err := url.ParseQuery(query)
	if err != nil {
		return nil, refuse("InvalidParameter", "the query is malformed: %v", err)
	}
	for _, name := range commonNames {
		values.Del(name)
	}
	p := make(parameters)
	for name, v := range values {
		if len(v) != 1 {
			return nil, refuse("InvalidParameter", "the parameter %.64q is given %d times", name, len(v))
		}
		p[name] = untyped(v[0])
	}
	return p, nil
}

// only refuses parameters of other names.
func (p parameters) only(names ...string) error {
	known := make(map[string]bool)
	for _, name := range names {
		known[name] = true
	}
	for name := range p {
		if !known[name] {
			return refuse("UnknownParameter", "the parameter %.64q is not recognized", name)
		}
	}
	return nil
}

// text is a required string.
func (p parameters) text(name string) (string, error) {
	switch v := p[name].(type) {
	case nil:
		return "", refuse("MissingParameter", "the required parameter %s is missing", name)
	case string:
		return v, nil
	case untyped:
		return string(v), nil
	}
	return "", refuse("InvalidParameter", "the parameter %s is not a string", name)
}

// integer is an optional whole number.
func (p parameters) integer(name string, otherwise int64) (int64, error) {
	var digits string
	switch v := p[name].(type) {
	case nil:
		return otherwise, nil
	case json.Number:
		digits = v.String()
	case untyped:
		digits = string(v)
	}
	n, err := strconv.ParseInt(digits, 10, 64)
	if err != nil {
		return 0, refuse("InvalidParameter", "the parameter %s is not an integer", name)
	}
	return n, nil
}
