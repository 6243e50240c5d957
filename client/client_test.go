//go:build unix

package client_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tcred/tcred/api"
	"github.com/tcred/tcred/client"
	"github.com/tcred/tcred/credential"
	"github.com/tcred/tcred/internal/socket"
)

// listen listens on a socket in a directory of its own, with a config path that every request is to name.
func listen(t *testing.T) (net.Listener, string) {
	t.Helper()
	dir, err := os.MkdirTemp("", "t")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	t.Setenv("HOME", dir)
	t.Setenv(api.EnvConfig, "/c/config.toml")
	path := filepath.Join(dir, "s")
	l, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return l, path
}

// serve answers by handle, with a daemon's version, and returns a client of it.
func serve(t *testing.T, handle http.HandlerFunc) *client.Client {
	t.Helper()
	l, path := listen(t)
	server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if got := r.Header.Get(api.HeaderConfig); got != "/c/config.toml" {
			t.Errorf("%s names config %q", r.URL, got)
		}
		w.Header().Set(api.HeaderVersion, "1.2.3")
		handle(w, r)
	})}
	go server.Serve(l)
	t.Cleanup(func() { server.Close() })
	return &client.Client{Socket: path}
}

// raw gives each connection to handle once its request was read.
func raw(t *testing.T, handle func(net.Conn)) *client.Client {
	t.Helper()
	l, path := listen(t)
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			c.Read(make([]byte, 4096))
			handle(c)
			c.Close()
		}
	}()
	return &client.Client{Socket: path}
}

var cred = credential.Credential{
	SecretID: "AKIDx", SecretKey: "k", Token: "t+/", Issued: time.Unix(1000, 0), Expires: time.Unix(8200, 0), RequestID: "r",
}

func TestEveryCallSpeaksTheProtocol(t *testing.T) {
	var got string
	var reply any
	c := serve(t, func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		got = strings.TrimSpace(r.Method + " " + r.RequestURI + " " + string(body))
		if text, ok := reply.([]byte); ok {
			w.Write(text)
			return
		}
		json.NewEncoder(w).Encode(reply)
	})
	ctx := t.Context()
	text, _ := cred.Encode(credential.COS)
	id := api.Identity{Type: "CAMUser", Arn: "qcs::x"}
	cleared := api.Cleared{Credentials: []api.ClearedCredential{{Profile: "p", Expires: time.Unix(5, 0).UTC()}}}
	for _, tt := range []struct {
		want   string
		reply  any
		call   func() (any, error)
		result any
	}{
		{"GET /v1/credentials/p", []byte("x\n"), func() (any, error) { b, err := c.Get(ctx, "p", client.Options{}); return string(b), err }, "x\n"},
		{"GET /v1/credentials/p?format=env&min_ttl=20m0s", []byte("x"), func() (any, error) {
			b, err := c.Get(ctx, "p", client.Options{Format: credential.Env, MinTTL: 20 * time.Minute})
			return string(b), err
		}, "x"},
		{"GET /v1/credentials?format=cos&min_ttl=20m0s", text, func() (any, error) { return c.Credential(ctx, "", 20*time.Minute) }, cred},
		{"GET /v1/credentials/p?format=cos", text, func() (any, error) { return c.Credential(ctx, "p", 0) }, cred},
		{"POST /v1/credentials/p/refresh", api.ProfileStatus{Name: "p"}, func() (any, error) { return c.Refresh(ctx, "p") }, api.ProfileStatus{Name: "p"}},
		{"DELETE /v1/credentials/p", cleared, func() (any, error) { v, err := c.Clear(ctx, "p"); return v.Credentials[0], err }, cleared.Credentials[0]},
		{"DELETE /v1/credentials", cleared, func() (any, error) { v, err := c.Clear(ctx, ""); return v.Credentials[0], err }, cleared.Credentials[0]},
		{"GET /v1/identity/p", id, func() (any, error) { return c.Identity(ctx, "p") }, id},
		{"GET /v1/status", api.Status{PID: 7}, func() (any, error) { v, err := c.Status(ctx); return v.PID, err }, 7},
		{"POST /v1/reload", nil, func() (any, error) { return nil, c.Reload(ctx) }, nil},
		{`POST /v1/unlock {"passphrase":"pw","for":"8h0m0s"}`, nil, func() (any, error) { return nil, c.Unlock(ctx, "pw", 8*time.Hour) }, nil},
		{`POST /v1/unlock {"passphrase":""}`, nil, func() (any, error) { return nil, c.Unlock(ctx, "", 0) }, nil},
		{`PUT /v1/keys/work {"secret_id":"AKIDx","secret_key":"k","replace":true}`, nil, func() (any, error) {
			return nil, c.AddKey(ctx, "work", api.NewKey{SecretID: "AKIDx", SecretKey: "k", Replace: true})
		}, nil},
		{"POST /v1/lock", nil, func() (any, error) { return nil, c.Lock(ctx) }, nil},
		{"POST /v1/stop", nil, func() (any, error) { return nil, c.Stop(ctx) }, nil},
	} {
		reply = tt.reply
		result, err := tt.call()
		if err != nil || got != tt.want || result != tt.result {
			t.Errorf("%s: asked %q, got %v, %v", tt.want, got, result, err)
		}
	}
}

func TestAProblemComesBackAsTheErrorItWas(t *testing.T) {
	want := &api.Error{Code: api.STSPermission, Message: "key may not", Hint: "ask", RequestID: "59a5"}
	c := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", api.TypeProblem)
		w.WriteHeader(want.Code.Status())
		json.NewEncoder(w).Encode(api.ProblemOf(want))
	})
	_, err := c.Status(t.Context())
	var got *api.Error
	if !errors.As(err, &got) || got.Code != want.Code || got.Message != want.Message || got.Hint != want.Hint ||
		got.RequestID != want.RequestID || got.Status() != want.Status() || got.Retryable() != want.Retryable() {
		t.Errorf("got %+v", err)
	}
}

func TestNoDaemonIsASentenceWithTheCure(t *testing.T) {
	l, path := listen(t)
	l.Close()
	c := client.Client{Socket: path}
	_, err := c.Status(t.Context())
	e := api.AsError(err)
	if e.Code != api.NoDaemon || !strings.Contains(e.Message, path) || !strings.Contains(e.Hint, "tcred daemon") ||
		!errors.Is(err, socket.ErrNotListening) {
		t.Errorf("got %+v", e)
	}
	none := filepath.Join(filepath.Dir(path), "tcred")
	starting := client.Client{Socket: path, Binary: none}
	_, err = starting.Status(t.Context())
	if api.CodeOf(err) != api.NoDaemon || !strings.Contains(err.Error(), fmt.Sprintf("no %q", none)) {
		t.Errorf("got %v", err)
	}
	os.Chmod(filepath.Dir(path), 0o755)
	_, err = c.Status(t.Context())
	if api.CodeOf(err) != api.Forbidden || !strings.Contains(err.Error(), "open to other users") {
		t.Errorf("got %v", err)
	}
}

func TestARelativePathIsRefused(t *testing.T) {
	for field, c := range map[string]*client.Client{
		"Socket": {Socket: "run/s"}, "Binary": {Socket: "/tmp/s", Binary: "tcred"},
	} {
		_, err := c.Status(t.Context())
		if api.CodeOf(err) != api.BadRequest || !strings.Contains(err.Error(), field+" is not an absolute path") {
			t.Errorf("%s: got %v", field, err)
		}
	}
}

// The place is looked up at each call, so that a program may start before its user's session is whole.
func TestTheZeroClientAsksAtTheUsualPlace(t *testing.T) {
	var c client.Client
	for _, version := range []string{"1", "2"} {
		l, path := listen(t)
		t.Setenv(api.EnvSocket, path)
		server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set(api.HeaderVersion, version)
			json.NewEncoder(w).Encode(api.Status{Version: version})
		})}
		go server.Serve(l)
		t.Cleanup(func() { server.Close() })
		if st, err := c.Status(t.Context()); err != nil || st.Version != version {
			t.Errorf("got %q, %v", st.Version, err)
		}
	}
}

func TestWhatThePersonShouldKnowIsHandedOnOnce(t *testing.T) {
	warning := "not all of the config is in use"
	c := serve(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set(api.HeaderWarning, warning)
		if r.Method == http.MethodPost {
			w.Header().Set("Content-Type", api.TypeProblem)
			w.WriteHeader(500)
			json.NewEncoder(w).Encode(api.ProblemOf(&api.Error{Code: api.Internal, Message: "no"}))
			return
		}
		io.WriteString(w, "{}")
	})
	var heard []string
	c.Warn = func(text string) { heard = append(heard, text) }
	c.Status(t.Context())
	c.Reload(t.Context()) // fails, and warns all the same
	warning = "something else"
	c.Reload(t.Context())
	c.Status(t.Context())
	if want := []string{"not all of the config is in use", "something else"}; !slices.Equal(heard, want) {
		t.Errorf("%q", heard)
	}
	c.Warn = nil
	warning = "nobody listens"
	if _, err := c.Status(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestARequestIsObservedWithWhoAnsweredIt(t *testing.T) {
	c := serve(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set(api.HeaderProfile, "upload")
		w.Header().Set(api.HeaderLayer, "memory")
		io.WriteString(w, "x")
	})
	var begun []string
	var seen []client.Exchange
	c.Observe = func(request string) func(client.Exchange) {
		begun = append(begun, request)
		return func(x client.Exchange) { seen = append(seen, x) }
	}
	c.Get(t.Context(), "", client.Options{Format: credential.Env})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	c.Status(ctx)
	if len(seen) != 2 || !slices.Equal(begun, []string{"GET /v1/credentials", "GET /v1/status"}) {
		t.Fatalf("%q: %+v", begun, seen)
	}
	x := seen[0]
	if filepath.Base(x.Socket) != "s" || x.PID != os.Getpid() || x.Version != "1.2.3" ||
		x.Profile != "upload" || x.Layer != "memory" || x.Connect <= 0 || x.Total < x.Connect || x.Err != nil {
		t.Errorf("%+v", x)
	}
	if x := seen[1]; x.Err == nil {
		t.Errorf("%+v", x)
	}
}

func TestADaemonThatHangsIsNamedByItsProcess(t *testing.T) {
	c := serve(t, func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	_, err := c.Status(ctx)
	if want := fmt.Sprintf("the daemon, process %d, did not answer in time", os.Getpid()); err == nil || err.Error() != want {
		t.Errorf("%v, want %s", err, want)
	}
	if hint := api.AsError(err).Hint; strings.Contains(hint, "stop") {
		t.Errorf("after 20 ms it says %q", hint)
	}
}

func TestABadNameIsNotSent(t *testing.T) {
	c := serve(t, func(http.ResponseWriter, *http.Request) { t.Error("it was sent") })
	for _, name := range []string{"", "../x", "a/b", "a?b", "a\r\nb"} {
		var err1 error = &api.Error{Code: api.BadRequest} // no name is the daemon's to choose
		if name != "" {
			_, err1 = c.Get(t.Context(), name, client.Options{})
		}
		_, err2 := c.Refresh(t.Context(), name)
		_, err3 := c.Identity(t.Context(), name)
		for _, err := range []error{err1, err2, err3} {
			if api.CodeOf(err) != api.BadRequest {
				t.Errorf("%q: got %v", name, err)
			}
		}
	}
	if _, err := c.Clear(t.Context(), "a/b"); api.CodeOf(err) != api.BadRequest {
		t.Errorf("got %v", err)
	}
}

func TestADaemonThatDoesNotAnswerEndsInATimeout(t *testing.T) {
	c := serve(t, func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := c.Status(ctx); api.CodeOf(err) != api.Timeout || !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v", err)
	}
	ctx, cancel = context.WithCancel(t.Context())
	time.AfterFunc(10*time.Millisecond, cancel)
	if _, err := c.Status(ctx); api.CodeOf(err) != api.Timeout || !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

const head = "HTTP/1.1 200 OK\r\nTcred-Version: x\r\n"

func TestAnswersThatAreNotTheDaemonsAreRefused(t *testing.T) {
	for _, tt := range []struct {
		name, answer string
		code         api.Code
	}{
		{"cut", head + "Content-Length: 100\r\n\r\nsecret", api.NoDaemon},
		{"cut in its head", "HTTP/1.1 200 OK\r\nTcred-Version: x\r\n", api.NoDaemon},
		{"empty", head + "Content-Length: 0\r\n\r\n", api.Internal},
		{"chunked", head + "Transfer-Encoding: chunked\r\n\r\n6\r\nsecret\r\n0\r\n\r\n", api.Internal},
		{"without length", head + "\r\nsecret", api.Internal},
		{"too long", fmt.Sprintf("%sContent-Length: %d\r\n\r\nsecret", head, api.MaxAnswer+1), api.Internal},
		{"not ours", "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nsecret", api.Internal},
		{"no HTTP", "SSH-2.0-OpenSSH\r\n", api.Internal},
		{"a redirect", "HTTP/1.1 302 Found\r\nTcred-Version: x\r\nLocation: http://x/\r\nContent-Length: 0\r\n\r\n", api.Internal},
		{"a failure in HTML", "HTTP/1.1 500 X\r\nTcred-Version: x\r\nContent-Type: text/html\r\nContent-Length: 6\r\n\r\nsecret", api.Internal},
		{"endless headers", head + strings.Repeat("A: b\r\n", 4000), api.Internal},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := raw(t, func(c net.Conn) { io.WriteString(c, tt.answer) })
			body, err := c.Get(t.Context(), "p", client.Options{})
			if api.CodeOf(err) != tt.code || body != nil || strings.Contains(err.Error(), "secret") {
				t.Errorf("got %q, %v", body, err)
			}
			if _, err := c.Credential(t.Context(), "p", 0); err == nil {
				t.Error("a credential")
			}
		})
	}
}

func TestAnEndBeforeTheFirstByteIsTriedOnceMoreForGetAlone(t *testing.T) {
	for _, tt := range []struct {
		name        string
		ends, tries int32
		call        func(*client.Client) error
		code        api.Code
	}{
		{"get", 1, 2, func(c *client.Client) error { _, err := c.Get(t.Context(), "p", client.Options{}); return err }, ""},
		{"get, again", 9, 2, func(c *client.Client) error { _, err := c.Get(t.Context(), "p", client.Options{}); return err }, api.NoDaemon},
		{"refresh", 1, 1, func(c *client.Client) error { _, err := c.Refresh(t.Context(), "p"); return err }, api.NoDaemon},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var tries atomic.Int32
			c := raw(t, func(c net.Conn) {
				if tries.Add(1) > tt.ends {
					io.WriteString(c, head+"Content-Length: 2\r\n\r\n{}")
				}
			})
			if err := tt.call(c); api.CodeOf(err) != tt.code || tries.Load() != tt.tries {
				t.Errorf("%d tries, %v", tries.Load(), err)
			}
		})
	}
}

func TestAnotherVersionIsBlamedForAnAnswerThatMakesNoSense(t *testing.T) {
	c := serve(t, func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "[]") })
	_, err := c.Status(t.Context())
	if e := api.AsError(err); e.Code != api.Internal || !strings.Contains(e.Hint, "version 1.2.3, this is "+api.Version) {
		t.Errorf("got %+v", e)
	}
}
