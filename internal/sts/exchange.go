package sts

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/tcred/tcred/api"
)

// maxAnswer is the most that is read of an answer, in bytes. A real one stays under 8 KiB.
const maxAnswer = 1 << 20

// exchange is one request and its answer. It is the SDK's transport, so that the SDK gets only what has the
// shape of an STS answer: it panics on "null", quotes bodies in its errors, follows redirects and reads without bound.
type exchange struct {
	base      http.RoundTripper
	now       func() time.Time
	host      string
	status    int           // of the answer
	dated     bool          // the answer had a Date
	skew      time.Duration // Tencent Cloud's clock minus ours by that Date, to the second
	requestID string
	secret    bool // the answer held credentials: nothing of it may be quoted
}

func (c *Client) exchange() *exchange {
	return &exchange{base: c.transport, now: c.now, host: c.Host()}
}

// RoundTrip sends req and reads the whole answer. One that STS would not give is an *api.Error with the code
// api.STSAnswer.
func (x *exchange) RoundTrip(req *http.Request) (*http.Response, error) {
	resp, err := x.send(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	body, err := x.read(resp)
	if err != nil {
		return nil, err
	}
	if err := x.check(body); err != nil {
		return nil, err
	}
	resp.Header = http.Header{"Content-Type": {api.TypeJSON}} // no event stream, no second decompression
	resp.Body = io.NopCloser(bytes.NewReader(body))
	return resp, nil
}

// send notes status and clock of whatever answers.
func (x *exchange) send(req *http.Request) (*http.Response, error) {
	resp, err := x.base.RoundTrip(req) // no redirect is followed
	if err != nil {
		return nil, err
	}
	x.status = resp.StatusCode
	if date, err := http.ParseTime(resp.Header.Get("Date")); err == nil {
		x.dated, x.skew = true, date.Sub(x.now().Truncate(time.Second))
	}
	return resp, nil
}

func (x *exchange) read(resp *http.Response) ([]byte, error) {
	if 300 <= resp.StatusCode && resp.StatusCode < 400 {
		return nil, x.fault("a redirect (%s)", x.statusText())
	}
	if resp.Header.Get("Content-Encoding") != "" {
		return nil, x.fault("an encoding nobody asked for (%s)", x.statusText())
	}
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer+1))
	var timeout net.Error
	switch {
	case errors.As(err, &timeout) && timeout.Timeout(), resp.Request.Context().Err() != nil:
		return nil, err
	case err != nil:
		return nil, x.fault("an answer cut short after %d bytes (%s)", len(body), x.statusText())
	case len(body) > maxAnswer:
		return nil, x.fault("more than 1 MiB (%s)", x.statusText())
	}
	return body, nil
}

// check looks for what every answer of STS has: a JSON object with an object Response.
func (x *exchange) check(body []byte) error {
	var answer struct {
		Response *struct {
			RequestID   string `json:"RequestId"`
			Credentials json.RawMessage
		}
	}
	text := bytes.TrimSpace(body)
	err := json.Unmarshal(text, &answer)
	var syntax *json.SyntaxError
	switch {
	case len(text) == 0:
		return x.fault("nothing (%s)", x.statusText())
	case text[0] == '<':
		return x.fault("an HTML page (%s)", x.statusText())
	case errors.As(err, &syntax) && text[0] == '{' && syntax.Offset >= int64(len(text)):
		return x.fault("an answer cut short after %d bytes (%s)", len(body), x.statusText())
	case err != nil && errors.As(err, &syntax):
		return x.fault("something that is not JSON (%s)", x.statusText())
	case err != nil, answer.Response == nil:
		return x.fault("JSON that is not an STS answer (%s)", x.statusText())
	case twice(text):
		return x.fault("JSON that says something twice (%s)", x.statusText())
	}
	x.requestID = cleanID(answer.Response.RequestID)
	x.secret = len(answer.Response.Credentials) > 0 && string(answer.Response.Credentials) != "null"
	return nil
}

// statusText is the answer's status, such as "502 Bad Gateway". The words are the standard's: what a server writes in
// their place is of any length and may hold what a terminal obeys.
func (x *exchange) statusText() string {
	return strings.TrimSpace(strconv.Itoa(x.status) + " " + http.StatusText(x.status))
}

// fault is an answer that STS does not give. It tells the answer's kind and never its text.
func (x *exchange) fault(format string, args ...any) error {
	hint := "does something else answer in its place? check endpoint and proxy in config.toml, and this network's sign-in page"
	if x.status >= 500 {
		hint = "it is in trouble, or a server on the way there is: try again; if it stays, check endpoint and proxy in config.toml"
	}
	return &api.Error{
		Code:      api.STSAnswer,
		Message:   x.host + " answered with " + fmt.Sprintf(format, args...) + inRequest(x.requestID) + ", not as STS does",
		Hint:      hint,
		RequestID: x.requestID,
	}
}

// explain turns the SDK's error into an *api.Error. Of an answer that also held credentials it tells nothing else.
func (x *exchange) explain(err error, c call) error {
	if x.secret {
		return x.fault("credentials in an answer that is damaged")
	}
	c.Skew = x.skew
	return explain(err, c)
}

// cleanID is a request id that is safe to print, or "".
func cleanID(id string) string {
	if len(id) > 64 || strings.Trim(id, "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ-") != "" {
		return ""
	}
	return id
}
