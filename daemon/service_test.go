package daemon

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tcred/tcred/api"
	"github.com/tcred/tcred/credential"
	"github.com/tcred/tcred/internal/broker"
	"github.com/tcred/tcred/internal/broker/brokertest"
)

const (
	ourUID    = 1000
	ourConfig = "/home/zhang san/.config/tcred/config.toml"
)

// service is a Server over pipes, in a world.
type service struct {
	*brokertest.World
	broker   *broker.Broker
	server   *Server
	keystore *fakeKeystore
	keys     *fakeKeys
	pipes    *pipes
	log      *safeBuffer
	ended    chan error // what Serve returned
}

// inService runs a story with a server that answers. change, if any, alters the server before it starts.
func inService(t *testing.T, change func(*Server), story func(*testing.T, *service)) {
	t.Helper()
	brokertest.In(t, 2*time.Hour, func(t *testing.T, w *brokertest.World) {
		s := newService(w)
		if change != nil {
			change(s.server)
		}
		ctx, stop := context.WithCancel(context.Background())
		go func() { s.ended <- s.server.Serve(ctx, s.pipes) }()
		t.Cleanup(func() { stop(); time.Sleep(time.Minute) })
		story(t, s)
	})
}

func newService(w *brokertest.World) *service {
	s := &service{World: w, broker: newBroker(w), keystore: &fakeKeystore{}, keys: &fakeKeys{}, pipes: newPipes(), log: &safeBuffer{}, ended: make(chan error, 1)}
	s.server = &Server{
		Broker: s.broker, Now: w.Wall, Keystore: s.keystore, Keys: s.keys, UID: ourUID,
		Config: ourConfig,
		Status: func() api.Status { return api.Status{Version: api.Version, PID: 7} },
		Choose: func(context.Context) (string, error) { return "p", nil },
		Reload: func() error { return nil }, Problem: func() error { return nil },
		ReadKey: func(_ context.Context, key string) (broker.Question, error) {
			if key != brokertest.Profile {
				return nil, &api.Error{Code: api.NoKey, Message: "no such key"}
			}
			return func(ctx context.Context) (api.Identity, error) { return w.STS.Identify(ctx, credential.Credential{}) }, nil
		},
		Peer: func(net.Conn) (Peer, error) { return Peer{UID: ourUID, PID: 42}, nil },
		Log:  slog.New(slog.NewTextHandler(s.log, &slog.HandlerOptions{Level: slog.LevelDebug})),
	}
	return s
}

// reply is a whole answer.
type reply struct {
	status int
	header http.Header
	body   string
	err    error
}

// ask makes one request on a connection of its own. headers are names and values in turn.
func (s *service) ask(method, target, body string, headers ...string) reply {
	s.T.Helper()
	r, err := http.NewRequest(method, "http://tcred"+strings.TrimPrefix(target, "*"), strings.NewReader(body))
	if err != nil {
		s.T.Fatal(err)
	}
	if target == "*" {
		r.URL.Opaque = target
	}
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	transport := &http.Transport{DialContext: s.pipes.dial, DisableKeepAlives: true, DisableCompression: true}
	defer transport.CloseIdleConnections()
	answer, err := transport.RoundTrip(r)
	if err != nil {
		return reply{err: err}
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	s.whole(method, answer, len(text))
	return reply{answer.StatusCode, answer.Header, string(text), err}
}

// whole checks what holds for every answer.
func (s *service) whole(method string, answer *http.Response, got int) {
	s.T.Helper()
	if length := answer.Header.Get("Content-Length"); method != http.MethodHead && length != strconv.Itoa(got) {
		s.T.Errorf("Content-Length %q for %d bytes", length, got)
	}
	if v := answer.Header.Get(api.HeaderVersion); v != api.Version {
		s.T.Errorf("%s is %q", api.HeaderVersion, v)
	}
	if len(answer.TransferEncoding) > 0 {
		s.T.Errorf("the answer is %v", answer.TransferEncoding)
	}
}

// problem reads a failure.
func (s *service) problem(r reply) api.Problem {
	s.T.Helper()
	var p api.Problem
	if err := json.Unmarshal([]byte(r.body), &p); err != nil || r.header.Get("Content-Type") != api.TypeProblem || p.Status != r.status {
		s.T.Fatalf("no problem: %d %q (%v, %v)", r.status, r.body, err, r.err)
	}
	return p
}

// wantProblem checks a failure's code.
func (s *service) wantProblem(r reply, code api.Code) api.Problem {
	s.T.Helper()
	if r.err != nil {
		s.T.Fatal(r.err)
	}
	p := s.problem(r)
	if p.Code != code || p.Status != code.Status() {
		s.T.Errorf("got %s %d %q, want %s", p.Code, p.Status, p.Detail, code)
	}
	return p
}

// ok makes a request that must succeed, and reads its answer into v.
func (s *service) ok(method, target, body string, v any) {
	s.T.Helper()
	r := s.ask(method, target, body)
	if r.err != nil || r.status != http.StatusOK {
		s.T.Fatalf("%s %s: %d %q %v", method, target, r.status, r.body, r.err)
	}
	if v == nil {
		return
	}
	if err := json.Unmarshal([]byte(r.body), v); err != nil || r.header.Get("Content-Type") != api.TypeJSON {
		s.T.Fatalf("%s %s: %q is %s: %v", method, target, r.body, r.header.Get("Content-Type"), err)
	}
}

// pipes is a listener over net.Pipe, which a bubble can wait for.
type pipes struct {
	conns  chan net.Conn
	closed chan struct{}
	once   sync.Once
}

func newPipes() *pipes { return &pipes{conns: make(chan net.Conn), closed: make(chan struct{})} }

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case c := <-p.conns:
		return c, nil
	case <-p.closed:
		return nil, net.ErrClosed
	}
}

func (p *pipes) Close() error { p.once.Do(func() { close(p.closed) }); return nil }

func (p *pipes) Addr() net.Addr { return &net.UnixAddr{Name: "pipe", Net: "unix"} }

func (p *pipes) dial(ctx context.Context, _, _ string) (net.Conn, error) {
	ours, theirs := net.Pipe()
	select {
	case p.conns <- theirs:
		return ours, nil
	case <-p.closed:
		return nil, errors.New("connection refused")
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

type fakeKeys struct {
	name string
	key  api.NewKey
	err  error
}

func (k *fakeKeys) Add(_ context.Context, name string, key api.NewKey) error {
	k.name, k.key = name, key
	return k.err
}

type fakeKeystore struct {
	mu         sync.Mutex
	passphrase credential.Secret
	unlocked   bool
	err        error
}

func (k *fakeKeystore) Probe(context.Context) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	if !k.unlocked {
		return &api.Error{Code: api.KeystoreLocked, Message: "the file keystore is locked", Hint: "tcred unlock"}
	}
	return nil
}

func (k *fakeKeystore) Unlock(_ context.Context, passphrase credential.Secret) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.passphrase, k.unlocked = passphrase, k.err == nil
	return k.err
}

func (k *fakeKeystore) Lock() {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.unlocked = false
}

func (k *fakeKeystore) open() bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.unlocked
}

// safeBuffer is a buffer that many may write.
type safeBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (b *safeBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

func (b *safeBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}
