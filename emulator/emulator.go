// Package emulator is a strict local STS: GetFederationToken and GetCallerIdentity as Tencent Cloud answers them.
//
// It is for tests of whatever calls STS, and for CI: nothing in it talks to the network or needs an account. It is an
// [http.Handler], so package httptest runs it, and every SDK of Tencent Cloud can be pointed at it:
//
//	account := emulator.NewAccount(false) // with a key of its own
//	server := httptest.NewServer(emulator.New(emulator.Options{Accounts: []emulator.Account{account}}))
//
// It checks both signatures of API 3.0, TC3-HMAC-SHA256 and the older HmacSHA1 and HmacSHA256, by its own reading of
// the published algorithms, and every documented rule of the two calls, and answers with the real error codes. It
// knows the credentials that it issued. It can be told to fail ([Emulator.Fail]) and counts the calls it gets
// ([Emulator.Calls]), and both over HTTP below [AdminPath], for tests in other languages. It judges no permissions:
// what a policy allows is not tried anywhere. "tcred emulator" is the same as a process; docs/emulator.md says how
// strict it is and where it ends.
//
// # Stability
//
// tcred is at version 0. Names that are exported here may still change in a minor version, and the changelog says so.
// More calls, faults and rules will come: where STS turns out to refuse what the emulator takes, the emulator will
// refuse it, in any version.
package emulator

import (
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/tcred/tcred/credential"
)

// The two calls, and the API version they belong to.
const (
	GetFederationToken = "GetFederationToken"
	GetCallerIdentity  = "GetCallerIdentity"
	Version            = "2018-08-13"
)

// MaxToken is how long a token may be, in bytes, as the STS page says.
const MaxToken = 4096

const usualToken = 512 // bytes

// Account is a user of the emulated cloud with a permanent key: a root account when UIN equals AccountID,
// else a sub-account of it.
type Account struct {
	SecretID  string
	SecretKey credential.Secret
	AccountID string // the root account's uin
	UIN       string // the user's own
	AppID     string // what follows uid/ in a COS resource; "" accepts any
}

// Root reports whether a is a root account.
func (a Account) Root() bool { return a.UIN == a.AccountID }

// Options are what an [Emulator] starts with. All may be left out but Accounts, without which every key is unknown.
type Options struct {
	Accounts  []Account
	Now       func() time.Time // its clock; nil = time.Now
	Log       *slog.Logger     // a line a call, with no secret in it; nil = none
	TokenSize int              // of issued tokens in bytes, at most MaxToken; 0 = a usual size
}

// Emulator is a local STS. Make one with [New]; it is safe for concurrent use.
type Emulator struct {
	now       func() time.Time
	log       *slog.Logger
	tokenSize int
	accounts  map[string]Account // by SecretId
	admin     http.Handler

	mu       sync.Mutex
	sessions map[string]session // temporary credentials by TmpSecretId, kept until Reset
	faults   []Fault
	calls    map[string]int64 // by known action, and "" for all
	quotas   map[quotaKey]window
}

// New makes an emulator.
func New(o Options) *Emulator {
	e := &Emulator{now: o.Now, log: o.Log, tokenSize: min(o.TokenSize, MaxToken), accounts: make(map[string]Account)}
	if e.now == nil {
		e.now = time.Now
	}
	if e.log == nil {
		e.log = slog.New(slog.DiscardHandler)
	}
	if e.tokenSize <= 0 {
		e.tokenSize = usualToken
	}
	for _, a := range o.Accounts {
		e.accounts[a.SecretID] = a
	}
	e.admin = e.adminHandler()
	e.Reset()
	return e
}

// Reset forgets temporary credentials, faults, counts and used quotas. The accounts stay.
func (e *Emulator) Reset() {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.sessions, e.faults = make(map[string]session), nil
	e.calls, e.quotas = make(map[string]int64), make(map[quotaKey]window)
}

// Calls is how many requests for action arrived, refused ones too; "" counts all, unknown actions among them.
func (e *Emulator) Calls(action string) int64 {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.calls[action]
}

// arrive counts a request and takes the fault that it is to meet.
func (e *Emulator) arrive(action string) Fault {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.calls[""]++
	if _, known := handlers[action]; known {
		e.calls[action]++
	}
	return e.takeFault(action)
}

// ServeHTTP answers an STS request at "/", and the admin requests below [AdminPath].
func (e *Emulator) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if strings.HasPrefix(r.URL.Path, AdminPath) {
		e.admin.ServeHTTP(w, r)
		return
	}
	if r.URL.Path != "/" {
		http.NotFound(w, r)
		return
	}
	q, unreadable := readRequest(r)
	action := q.common("Action")
	c := call{request: q, action: action, requestID: newRequestID(), fault: e.arrive(action)}
	c.now = e.now().Add(c.fault.Skew)
	if !c.fault.wait(r.Context()) {
		return
	}
	answer, err := e.answer(&c, unreadable)
	if err != nil {
		answer = errorAnswer{Error: refusalOf(err), RequestID: c.requestID}
	}
	e.log.Info("sts call", "action", action, "account", c.caller.account.AccountID,
		"code", codeOf(err), "request_id", c.requestID)
	w.Header().Set("Date", c.now.UTC().Format(http.TimeFormat))
	c.fault.write(w, encode(answer))
}

// call is one request on its way through.
type call struct {
	request   request
	action    string
	requestID string
	now       time.Time // by the emulator's clock
	fault     Fault
	caller    caller
	params    parameters
}

// handlers are the calls by action.
var handlers = map[string]func(*Emulator, *call) (any, error){
	GetFederationToken: (*Emulator).federationToken,
	GetCallerIdentity:  (*Emulator).callerIdentity,
}

// answer checks a request in the order of the real gateway: who asks, what for, how often, with which parameters.
func (e *Emulator) answer(c *call, unreadable error) (any, error) {
	if c.fault.Code != "" {
		return nil, refuse(c.fault.Code, "%s", c.fault.message())
	}
	if unreadable != nil {
		return nil, unreadable
	}
	var err error
	if c.caller, err = e.authenticate(c.request, c.now); err != nil {
		return nil, err
	}
	handle, err := route(c.request)
	if err != nil {
		return nil, err
	}
	if err := e.spend(c.caller.account.AccountID, c.action, c.now); err != nil {
		return nil, err
	}
	if c.params, err = c.request.parameters(); err != nil {
		return nil, err
	}
	return handle(e, c)
}

// route finds the handler of a request by its common parameters.
func route(q request) (func(*Emulator, *call) (any, error), error) {
	for _, name := range []string{"Action", "Version", "Region"} {
		if q.common(name) == "" {
			return nil, refuse("MissingParameter", "the common parameter %s is missing", name)
		}
	}
	handle, known := handlers[q.common("Action")]
	if !known {
		return nil, refuse("InvalidAction", "no such action: %.64q", q.common("Action"))
	}
	if v := q.common("Version"); v != Version {
		return nil, refuse("NoSuchVersion", "no such version: %.64q; there is %s", v, Version)
	}
	return handle, nil
}
