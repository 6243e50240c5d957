package client

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net"
	"net/http"
	"net/http/httptrace"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/tcred/tcred/api"
	"github.com/tcred/tcred/internal/place"
	"github.com/tcred/tcred/internal/socket"
)

// deadlineKey carries a request's deadline to dial: net/http dials under a context that keeps values alone.
type deadlineKey struct{}

// peer is what dial learns for one request, whose context carries it under peerKey.
type peer struct {
	began        time.Time // of the request
	pid, connect atomic.Int64
}

type peerKey struct{}

// dial connects for net/http, which names the address "tcred:80": only the socket's path matters.
func (c *Client) dial(ctx context.Context, _, _ string) (net.Conn, error) {
	path, err := c.socketPath()
	if err != nil {
		return nil, err
	}
	deadline, _ := ctx.Value(deadlineKey{}).(time.Time)
	var conn *socket.Conn
	if c.Binary == "" {
		conn, err = socket.Dial(path, deadline)
	} else if err = checkAbsolute("Binary", c.Binary); err == nil {
		conn, err = socket.DialOrStart(path, c.Binary, deadline)
	}
	if err != nil {
		return nil, err
	}
	met := ctx.Value(peerKey{}).(*peer) // put there by observed
	met.pid.Store(int64(conn.Server()))
	met.connect.Store(int64(time.Since(met.began)))
	f, err := conn.File()
	if err != nil {
		return nil, failed(err)
	}
	defer f.Close() // FileConn has its own
	nc, err := net.FileConn(f)
	if err != nil {
		return nil, failed(err)
	}
	return nc, nil
}

func (c *Client) socketPath() (string, error) {
	if c.Socket == "" {
		return place.Socket()
	}
	return c.Socket, checkAbsolute("Socket", c.Socket)
}

// checkAbsolute refuses a relative path: the daemon that it is handed to runs in another directory.
func checkAbsolute(field, path string) error {
	if filepath.IsAbs(path) {
		return nil
	}
	return &api.Error{
		Code: api.BadRequest, Message: fmt.Sprintf("the client's %s is not an absolute path: %q", field, path),
		Hint: "write the whole path, from the root on",
	}
}

// within bounds ctx by timeout, unless it has a deadline of its own.
func within(ctx context.Context, timeout time.Duration) (context.Context, context.CancelFunc) {
	if _, has := ctx.Deadline(); has {
		return ctx, func() {}
	}
	return context.WithTimeout(ctx, timeout)
}

// ofProfile is the request path for a profile.
func ofProfile(prefix, profile, suffix string) (string, error) {
	if !api.ValidName(profile) {
		return "", &api.Error{
			Code: api.BadRequest, Message: fmt.Sprintf("bad profile name %q", profile),
			Hint: api.NameHint,
		}
	}
	return prefix + profile + suffix, nil
}

// ask makes a request whose answer is a T in JSON.
func ask[T any](ctx context.Context, c *Client, method, target string) (T, error) {
	var out T
	body, err := c.do(ctx, method, target, nil)
	if err != nil {
		return out, err
	}
	if err := json.Unmarshal(body, &out); err != nil {
		var none T
		return none, c.foreign("no JSON as expected", err)
	}
	return out, nil
}

// do makes a request, with in as its JSON body unless nil, and returns the whole body of a good answer.
func (c *Client) do(ctx context.Context, method, target string, in any) ([]byte, error) {
	config, err := place.Config()
	if err != nil {
		return nil, err
	}
	var request []byte
	if in != nil {
		if request, err = json.Marshal(in); err != nil {
			return nil, failed(err)
		}
	}
	ctx, cancel := within(ctx, api.ClientTimeout)
	defer cancel()
	body, err := c.observed(ctx, method, target, config, request)
	if method == http.MethodGet && errors.Is(err, socket.ErrNoAnswer) {
		body, err = c.observed(ctx, method, target, config, request) // that daemon was about to stop
	}
	return body, err
}

// observed is try, and tells Observe.
func (c *Client) observed(ctx context.Context, method, target, config string, request []byte) ([]byte, error) {
	ended := func(Exchange) {}
	if c.Observe != nil {
		path, _, _ := strings.Cut(target, "?")
		ended = c.Observe(method + " " + path)
	}
	met := &peer{began: time.Now()}
	body, header, err := c.try(context.WithValue(ctx, peerKey{}, met), method, target, config, request)
	socket, _ := c.socketPath() // its error is the request's
	ended(Exchange{
		Socket: socket, PID: int(met.pid.Load()), Version: header.Get(api.HeaderVersion),
		Profile: header.Get(api.HeaderProfile), Layer: header.Get(api.HeaderLayer),
		Connect: time.Duration(met.connect.Load()), Total: time.Since(met.began), Err: err,
	})
	return body, err
}

func (c *Client) try(ctx context.Context, method, target, config string, request []byte) ([]byte, http.Header, error) {
	deadline, _ := ctx.Deadline()
	ctx = context.WithValue(ctx, deadlineKey{}, deadline)
	var begun atomic.Bool
	trace := &httptrace.ClientTrace{GotFirstResponseByte: func() { begun.Store(true) }}
	ctx = httptrace.WithClientTrace(ctx, trace)
	r, err := http.NewRequestWithContext(ctx, method, "http://tcred"+target, bytes.NewReader(request))
	if err != nil {
		return nil, nil, failed(err)
	}
	r.Header.Set(api.HeaderConfig, config)
	if c.Person {
		r.Header.Set(api.HeaderPerson, "1")
	}
	if request != nil {
		r.Header.Set("Content-Type", api.TypeJSON)
	}
	answer, err := c.transport().Do(r)
	if err != nil {
		return nil, nil, c.explain(ctx, err, begun.Load())
	}
	defer answer.Body.Close()
	body, err := c.read(ctx, answer)
	return body, answer.Header, err
}

// warn tells what the daemon wants a person to know.
func (c *Client) warn(text string) {
	if text == "" || c.Warn == nil {
		return
	}
	if _, told := c.warned.LoadOrStore(text, true); !told {
		c.Warn(text)
	}
}

// read returns the whole body of a good answer, and the error that a bad one holds.
func (c *Client) read(ctx context.Context, answer *http.Response) ([]byte, error) {
	version := answer.Header.Get(api.HeaderVersion)
	if version == "" {
		return nil, c.foreign("no "+api.HeaderVersion, nil)
	}
	c.version.Store(&version)
	c.warn(answer.Header.Get(api.HeaderWarning))
	switch {
	case answer.ContentLength < 0:
		return nil, c.foreign("no Content-Length", nil)
	case answer.ContentLength > api.MaxAnswer:
		return nil, c.foreign("a body of more than 1 MiB", nil)
	}
	body, err := io.ReadAll(answer.Body) // net/http holds it to its Content-Length
	if err != nil {
		return nil, c.explain(ctx, err, true)
	}
	if answer.StatusCode/100 != 2 {
		return nil, c.problem(answer, body)
	}
	return body, nil
}

// problem is the error that a failed request was answered with.
func (c *Client) problem(answer *http.Response, body []byte) error {
	var p api.Problem
	kind, _, _ := mime.ParseMediaType(answer.Header.Get("Content-Type"))
	if err := json.Unmarshal(body, &p); kind != api.TypeProblem || err != nil || p.Code == "" {
		return c.foreign("status "+answer.Status+" without a reason", err)
	}
	return p.Err()
}

// foreign is the error for an answer that no daemon of this version gives.
func (c *Client) foreign(what string, cause error) error {
	version := ""
	if v := c.version.Load(); v != nil {
		version = *v
	}
	return socket.Foreign(what, version, cause)
}

// explain puts a failed exchange into words; begun is whether the answer had begun.
func (c *Client) explain(ctx context.Context, err error, begun bool) error {
	var e *api.Error
	switch {
	case errors.As(err, &e): // from dial
		return e
	case errors.Is(err, context.Canceled):
		return &api.Error{Code: api.Timeout, Message: "the call was cancelled", Cause: err}
	case errors.Is(err, os.ErrDeadlineExceeded), ctx.Err() != nil:
		return unanswered(ctx.Value(peerKey{}).(*peer), err)
	case !begun:
		return socket.ErrNoAnswer
	case errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, syscall.ECONNRESET):
		return socket.BrokenOff(err)
	}
	return c.foreign("no HTTP", err)
}

// unanswered is the error for a daemon that did not answer in time. One that was given less than it may take need not
// hang.
func unanswered(met *peer, cause error) error {
	e := socket.Unanswered(int(met.pid.Load()))
	e.Cause = cause
	if time.Since(met.began) < api.AnswerTimeout {
		e.Hint = "allow it more: an answer may take " + api.AnswerTimeout.String()
	}
	return e
}

// failed is the error for what should never fail.
func failed(err error) error {
	return &api.Error{Code: api.Internal, Message: "cannot ask the daemon: " + err.Error(), Cause: err}
}
