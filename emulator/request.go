package emulator

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strconv"
)

// Bounds of a request in bytes. The real ones are 10 MiB and 32 KiB; no STS call needs a tenth of that body.
const (
	maxBody  = 1 << 20
	maxQuery = 32 << 10
)

// formType is the one Content-Type of a GET, and of a POST with signature v1.
const formType = "application/x-www-form-urlencoded"

// commonNames are the parameters of every call. TC3 puts them into X-TC- headers; the seed page's GET form into the
// query; signature v1 has them, and v1Names, among the call's own.
var (
	commonNames = []string{"Action", "Version", "Region", "Timestamp", "Token", "Language", "Nonce", "RequestClient"}
	v1Names     = []string{"SecretId", "Signature", "SignatureMethod"}
)

// request is an HTTP request, read.
type request struct {
	*http.Request
	v1     bool // it has signature v1, not TC3 ("v3")
	body   []byte
	values map[string]string // the parameters of a GET, or of a POST with v1
}

// readRequest reads a request in one of the forms that its signature allows. What it returns with an error still
// tells the action, if there was one to read.
func readRequest(r *http.Request) (request, error) {
	q := request{Request: r, v1: hasV1Signature(r)}
	if err := q.checkForm(); err != nil {
		return q, err
	}
	var err error
	if q.body, err = readBody(r); err != nil {
		return q, err
	}
	switch {
	case r.Method == http.MethodGet:
		q.values, err = readValues(r.URL.RawQuery)
	case q.v1:
		q.values, err = readValues(string(q.body))
	}
	return q, err
}

// hasV1Signature tells the two signatures apart: TC3 has the Authorization header, v1 is a form.
func hasV1Signature(r *http.Request) bool {
	return r.Header.Get("Authorization") == "" && (r.Method == http.MethodGet || mediaType(r) == formType)
}

// mediaType is the Content-Type without its parameters; "" if there is none, or none that can be read.
func mediaType(r *http.Request) string {
	kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil {
		return ""
	}
	return kind
}

// checkForm holds a request to the methods and types of its signature, and its query to its size.
func (q request) checkForm() error {
	want := formType
	switch {
	case q.Method != http.MethodPost && q.Method != http.MethodGet:
		return refuse("UnsupportedProtocol", "only GET and POST are supported")
	case q.Method == http.MethodPost && !q.v1:
		want = "application/json"
	case q.v1 && q.Header.Get("Content-Type") == "":
		want = "" // the Go SDK names none: a GET has nothing in it
	}
	if mediaType(q.Request) != want {
		return refuse("UnsupportedProtocol", "the Content-Type of a %s request is %s", q.Method, want)
	}
	if len(q.URL.RawQuery) > maxQuery {
		return refuse("RequestSizeLimitExceeded", "the query is over %d bytes", maxQuery)
	}
	return nil
}

// readBody reads the whole body, within bounds.
func readBody(r *http.Request) ([]byte, error) {
	body, err := io.ReadAll(io.LimitReader(r.Body, maxBody+1))
	if err != nil {
		return nil, refuse("InvalidRequest", "reading the body: %v", err)
	}
	if len(body) > maxBody {
		return nil, refuse("RequestSizeLimitExceeded", "the body is over %d bytes", maxBody)
	}
	return body, nil
}

// readValues reads a query or a form. A name that is there twice is refused: which of its values counts, and which
// was signed, two readers may see in two ways.
func readValues(text string) (map[string]string, error) {
	all, err := url.ParseQuery(text)
	if err != nil {
		return nil, refuse("InvalidParameter", "the parameters are malformed: %v", err)
	}
	values := make(map[string]string)
	for name, v := range all {
		if len(v) != 1 {
			return nil, refuse("InvalidParameter", "the parameter %.64q is given %d times", name, len(v))
		}
		values[name] = v[0]
	}
	return values, nil
}

// common is the value of a common parameter, "" if the request has none. With v1 only what was signed counts.
func (q request) common(name string) string {
	if !q.v1 {
		if v := q.Header.Get("X-TC-" + name); v != "" {
			return v
		}
	}
	return q.values[name]
}

// parameters are those of one call, without the common ones: a string, json.Number or other JSON value each,
// or untyped from a query or form.
type parameters map[string]any

type untyped string

// parameters reads them from the JSON of a POST, or from a query or form.
func (q request) parameters() (parameters, error) {
	p := make(parameters)
	if q.values != nil {
		for name, v := range q.values {
			if !slices.Contains(commonNames, name) && !(q.v1 && slices.Contains(v1Names, name)) {
				p[name] = untyped(v)
			}
		}
		return p, nil
	}
	d := json.NewDecoder(bytes.NewReader(q.body))
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
