package reliability

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/tcred/tcred/credential"
	"github.com/tcred/tcred/emulator"
)

// cloud is the STS emulator behind a port that can be closed and opened again, and a record of what it issued to whom.
type cloud struct {
	*emulator.Emulator
	account emulator.Account
	addr    string

	quiet sync.RWMutex // held for writing while faults change, so that no call slips through between two
	mu    sync.Mutex
	web   *http.Server
	calls []*call
	grant map[string]*call // calls that issued, by TmpSecretId
}

// call is one GetFederationToken that arrived. It failed if its answer held no whole credential.
type call struct {
	name    string // the federated user's
	at      time.Time
	cred    credential.Credential // the triple, zero after a failure; its times as the daemon says, once it handed it out
	expires time.Time             // as STS says, without any margin
}

func (c *call) failed() bool { return c.cred.SecretID == "" }

// owner is the federated user that the credential was issued to.
func (c *call) owner() string {
	if c == nil {
		return "nobody"
	}
	return c.name
}

func newCloud(t *testing.T) *cloud {
	t.Helper()
	c := &cloud{account: emulator.NewAccount(false), addr: "127.0.0.1:0", grant: make(map[string]*call)}
	c.Emulator = emulator.New(emulator.Options{Accounts: []emulator.Account{c.account}})
	if err := c.open(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.close)
	return c
}

func (c *cloud) url() string { return "http://" + c.addr }

// open listens, on the same port each time.
func (c *cloud) open() error {
	l, err := net.Listen("tcp", c.addr)
	if err != nil {
		return err
	}
	c.addr = l.Addr().String()
	c.web = &http.Server{Handler: c, ReadHeaderTimeout: 30 * time.Second}
	go c.web.Serve(l) // it ends with close
	return nil
}

// close refuses connections from here on. Calls under way are answered: what STS issued shall not be lost on its way.
func (c *cloud) close() {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	c.web.Shutdown(ctx) // those that take longer are cut
	c.web.Close()       // nobody is left
}

// suffer makes f the one fault of all calls.
func (c *cloud) suffer(f emulator.Fault) {
	c.quiet.Lock()
	defer c.quiet.Unlock()
	c.Heal()
	c.Fail(f)
}

// ServeHTTP has the emulator answer, and remembers.
func (c *cloud) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	at := time.Now()
	c.quiet.RLock()
	defer c.quiet.RUnlock()
	body, _ := io.ReadAll(r.Body) // half a body is the emulator's to refuse
	r.Body = io.NopCloser(bytes.NewReader(body))
	said := &held{ResponseWriter: w, status: http.StatusOK}
	c.Emulator.ServeHTTP(said, r)
	if r.Header.Get("X-TC-Action") == emulator.GetFederationToken {
		c.remember(at, body, said.body.Bytes()) // before anybody has it
	}
	w.WriteHeader(said.status)
	w.Write(said.body.Bytes()) // half an answer may be what was meant
}

func (c *cloud) remember(at time.Time, request, answer []byte) {
	var asked struct{ Name string }
	json.Unmarshal(request, &asked) // then Name is ""
	var said struct {
		Response struct {
			Credentials struct{ Token, TmpSecretId, TmpSecretKey string }
			ExpiredTime int64
		}
	}
	made := &call{name: asked.Name, at: at}
	if json.Unmarshal(answer, &said) == nil && said.Response.Credentials.TmpSecretId != "" {
		triple := said.Response.Credentials
		made.cred.SecretID = triple.TmpSecretId
		made.cred.SecretKey, made.cred.Token = credential.Secret(triple.TmpSecretKey), credential.Secret(triple.Token)
		made.expires = time.Unix(said.Response.ExpiredTime, 0)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.calls = append(c.calls, made)
	if !made.failed() {
		c.grant[made.cred.SecretID] = made
	}
}

// issued is the call that issued a credential which was handed out, nil if none did: parts of two are nobody's.
func (c *cloud) issued(cred credential.Credential) *call {
	c.mu.Lock()
	defer c.mu.Unlock()
	made := c.grant[cred.SecretID]
	if made == nil || made.cred.SecretKey != cred.SecretKey || made.cred.Token != cred.Token {
		return nil
	}
	made.cred.Issued, made.cred.Expires = cred.Issued, cred.Expires
	return made
}

// byName are the calls so far, of each federated user in the order they came.
func (c *cloud) byName() map[string][]call {
	c.mu.Lock()
	defer c.mu.Unlock()
	by := make(map[string][]call)
	for _, made := range c.calls {
		by[made.name] = append(by[made.name], *made)
	}
	return by
}

// held keeps an answer back.
type held struct {
	http.ResponseWriter
	status int
	body   bytes.Buffer
}

func (h *held) WriteHeader(status int)      { h.status = status }
func (h *held) Write(p []byte) (int, error) { return h.body.Write(p) }
