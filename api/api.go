// Package api holds the words of tcred's socket protocol: paths, parameters, headers, bodies, error codes, and the one
// error type.
//
// A program that asks tcred's daemon through package client needs it for two things: the bodies that the client
// returns, such as [Status], and its errors. Each of those is an [*Error], with a [Code] to tell one kind from
// another, a message and a hint for people, and the daemon's own word whether to try again:
//
//	if e, ok := errors.AsType[*api.Error](err); ok && e.Retryable() {
//		return tryLater(e)
//	}
//
// A program that speaks the protocol itself, or stands in for the daemon in a test, needs the rest. The protocol is
// HTTP/1.1 over a unix socket. Every answer carries a Content-Length and [HeaderVersion]. A failure is a [Problem] (RFC
// 9457), or, for a client that sends "Accept: text/plain", the very lines for stderr with the exit status in a header.
// docs/protocol.md tells it as prose.
//
// # Stability
//
// tcred is at version 0. The list of codes may grow at any time, and so may the fields of bodies: a program ignores
// fields that it does not know, and treats an error whose code it does not know by Status and Retryable. A code, a
// path, a header or a field that is here changes or goes only in a minor version, and the changelog says so. From
// version 1 on none of them will.
package api

import (
	"time"

	"github.com/tcred/tcred/internal/human"
)

// Request paths. A profile's name follows PathCredentials and PathIdentity, a key's follows PathKeys.
const (
	PathAll         = "/v1/credentials"  // DELETE all; GET that of the profile which the daemon chooses
	PathCredentials = "/v1/credentials/" // GET or DELETE one
	SuffixRefresh   = "/refresh"         // POST PathCredentials + name + SuffixRefresh
	PathIdentity    = "/v1/identity/"    // GET
	PathKeys        = "/v1/keys/"        // PUT a NewKey; GET PathKeys + key + SuffixIdentity
	SuffixIdentity  = "/identity"
	PathStatus      = "/v1/status" // GET
	PathReload      = "/v1/reload" // POST
	PathUnlock      = "/v1/unlock" // POST an UnlockRequest
	PathLock        = "/v1/lock"   // POST
	PathStop        = "/v1/stop"   // POST
	PathMetrics     = "/metrics"   // GET: Prometheus text
)

// Query parameters of GET PathCredentials and PathAll.
const (
	ParamFormat = "format"  // one of credential.Formats; left out: "process"
	ParamMinTTL = "min_ttl" // a Go duration such as "20m": met, or an error
)

// Headers. Requests may carry HeaderConfig and HeaderPerson; answers carry HeaderVersion, failures in plain text
// HeaderExit, credentials HeaderProfile and HeaderLayer, and either may carry HeaderWarning.
const (
	HeaderConfig  = "Tcred-Config"  // the client's path of config.toml; another than the daemon's is ConfigMismatch
	HeaderPerson  = "Tcred-Person"  // set: a person at a terminal asks, whom no refusal that is only remembered answers
	HeaderVersion = "Tcred-Version" // the daemon's version
	HeaderExit    = "Tcred-Exit"    // the exit status a command ends with
	HeaderProfile = "Tcred-Profile" // the profile whose credential it is, which the request need not have named
	HeaderLayer   = "Tcred-Layer"   // where the daemon had it from: "memory", "disk", "sts", or "old" after a failure
	HeaderWarning = "Tcred-Warning" // a line that a person should see: why the config on disk is not in use
)

// Media types.
const (
	TypeProblem = "application/problem+json"
	TypeText    = "text/plain"
	TypeJSON    = "application/json"
)

// Bounds of one exchange, in bytes.
const (
	MaxHeader = 8 << 10  // of a request, and of an answer
	MaxBody   = 64 << 10 // of a request
	MaxAnswer = 1 << 20  // that a client reads
)

// Timeouts of one exchange.
const (
	AnswerTimeout = 9 * time.Second         // a caller waits no longer for the daemon
	ClientTimeout = 9500 * time.Millisecond // a client gives up then: some tools allow their helper 10 s in all
)

// DefaultProfile is the daemon's choice for who names no profile, where neither config.toml nor the only key decides.
const DefaultProfile = "default"

// Environment variables that steer tcred.
const (
	EnvProfile  = "TCRED_PROFILE"
	EnvSocket   = "TCRED_SOCKET"
	EnvConfig   = "TCRED_CONFIG"
	EnvCacheDir = "TCRED_CACHE_DIR"
	EnvKeystore = "TCRED_KEYSTORE" // the keystore's backend, in place of config.toml's
	EnvLog      = "TCRED_LOG"      // "debug" for verbose logs
)

// Problem is the body of a failed request (RFC 9457).
type Problem struct {
	Type      string `json:"type"` // always "about:blank": Code tells them apart
	Title     string `json:"title"`
	Status    int    `json:"status"`
	Detail    string `json:"detail"`
	Code      Code   `json:"code"`
	Hint      string `json:"hint,omitempty"`
	Retryable bool   `json:"retryable"`
	RequestID string `json:"request_id,omitempty"`
}

// Identity is what GetCallerIdentity says of a credential: the five fields of the STS page and the request's id.
type Identity struct {
	Type        string `json:"Type"`
	AccountID   string `json:"AccountId"`
	UserID      string `json:"UserId"`
	PrincipalID string `json:"PrincipalId"`
	Arn         string `json:"Arn"`
	RequestID   string `json:"RequestId"`
}

// Status is the body of GET PathStatus.
type Status struct {
	Version  string          `json:"version"`
	PID      int             `json:"pid"`
	Started  time.Time       `json:"started"`
	Socket   string          `json:"socket"`
	Config   string          `json:"config"`
	Problem  *Problem        `json:"problem,omitempty"` // why not all of the config on disk is in use
	STSCalls int64           `json:"sts_calls"`         // since the daemon started, failed ones too
	Profiles []ProfileStatus `json:"profiles"`

	// DefaultProfile is meant by requests that name none; "" while that cannot be told. There may be no such profile.
	DefaultProfile string `json:"default_profile,omitempty"`

	Keystore        string    `json:"keystore"`
	KeystoreProblem *Problem  `json:"keystore_problem,omitempty"` // why no key can be read: locked, absent; nil: it is open
	KeystoreUntil   time.Time `json:"keystore_until,omitzero"`    // when the open keystore is locked again, if a time was set

	Cache        string `json:"cache"`                   // the directory of sealed credentials
	CacheProblem string `json:"cache_problem,omitempty"` // why new credentials are in memory only
}

// ProfileStatus is one profile in a Status. Times are left out while they are unknown.
type ProfileStatus struct {
	Name      string    `json:"name"`
	Key       string    `json:"key"`
	Expires   time.Time `json:"expires,omitzero"` // of the cached credential
	LastUse   time.Time `json:"last_use,omitzero"`
	LastIssue time.Time `json:"last_issue,omitzero"`
	LastError *Problem  `json:"last_error,omitempty"` // of the last try, if it failed
}

// UnlockRequest is the body of POST PathUnlock.
type UnlockRequest struct {
	Passphrase string `json:"passphrase"`
	For        string `json:"for,omitempty"` // a Go duration; left out: until the daemon ends
}

// NewKey is the body of PUT PathKeys: a permanent key for the daemon's keystore, and whose it is as far as that is
// known.
type NewKey struct {
	SecretID  string `json:"secret_id"`
	SecretKey string `json:"secret_key"`
	Replace   bool   `json:"replace,omitempty"` // a key of that name gives way; without it, that is an error
	Site      string `json:"site,omitempty"`
	AccountID string `json:"account_id,omitempty"`
	UserID    string `json:"user_id,omitempty"`
	Arn       string `json:"arn,omitempty"`
	Type      string `json:"type,omitempty"` // "root", "sub-account", or "" while unknown
}

// Cleared is the body that answers DELETE PathCredentials: which credentials were dropped.
// They stay valid at Tencent Cloud until they expire; nothing can revoke them.
type Cleared struct {
	Credentials []ClearedCredential `json:"credentials"`
}

// ClearedCredential is one dropped credential.
type ClearedCredential struct {
	Profile string    `json:"profile"` // "" if none leads to it any more
	Expires time.Time `json:"expires"`
}

// ProblemOf is e as it crosses the socket; nil for nil. Its texts are on one line and safe on a terminal.
func ProblemOf(e *Error) *Problem {
	if e == nil {
		return nil
	}
	return &Problem{
		Type: "about:blank", Title: string(e.Code), Status: e.Status(), Detail: human.OneLine(e.Message),
		Code: e.Code, Hint: human.OneLine(e.Hint), Retryable: e.Retryable(), RequestID: e.RequestID,
	}
}

// Err is p as an error on the client's side. It keeps p's status and whether to try again, also of a code that is not
// known here. A status that no failure has is that of an internal error.
func (p *Problem) Err() *Error {
	said := outcome{p.Status, p.Retryable}
	if said.status < 400 || said.status > 599 {
		said.status = Internal.Status()
	}
	return &Error{Code: p.Code, Message: p.Detail, Hint: p.Hint, RequestID: p.RequestID, wire: &said}
}

// ValidName reports whether name may name a key or a profile: [A-Za-z0-9][A-Za-z0-9._-]{0,63}.
func ValidName(name string) bool {
	if name == "" || len(name) > 64 {
		return false
	}
	for i := 0; i < len(name); i++ {
		switch c := name[i]; {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9':
		case i > 0 && (c == '.' || c == '_' || c == '-'):
		default:
			return false
		}
	}
	return true
}

// NameHint says to a person what ValidName takes.
const NameHint = "a name is up to 64 letters, digits, dots, hyphens and underscores, a letter or a digit first"

// Version is this build's, set at link time; "dev" otherwise.
var Version = "dev"
