package api

import "errors"

// A Code names one kind of failure. The list may grow: a program that meets a code it does not know goes by the
// error's Status and Retryable.
type Code string

// The codes, each with what it means to the caller.
const (
	BadRequest       Code = "bad_request"       // the request itself is wrong: parameter, format, name, min_ttl
	NotFound         Code = "not_found"         // no such path or method
	TooLarge         Code = "too_large"         // a body or header over its bound
	Forbidden        Code = "forbidden"         // the peer runs under another uid
	NoProfile        Code = "no_profile"        // neither a profile nor a key has that name
	NoKey            Code = "no_key"            // the keystore holds no key of that name
	ConfigInvalid    Code = "config_invalid"    // config.toml or the key index does not load
	ConfigMismatch   Code = "config_mismatch"   // client and daemon read different config files
	PolicyInvalid    Code = "policy_invalid"    // the policy is malformed, by our check or by STS's
	KeystoreLocked   Code = "keystore_locked"   // a person must unlock it
	KeystoreAbsent   Code = "keystore_absent"   // no bus, no provider, no such directory
	KeystoreTimeout  Code = "keystore_timeout"  // the keychain did not answer in time
	KeystoreReadOnly Code = "keystore_readonly" // this keystore cannot be written
	KeystoreFailed   Code = "keystore_failed"   // any other failure of the keystore
	WrongPassphrase  Code = "wrong_passphrase"  // the passphrase does not open the file keystore
	Unreachable      Code = "unreachable"       // no connection to STS
	STSTransient     Code = "sts_transient"     // STS failed in a way that passes
	STSThrottled     Code = "sts_throttled"     // STS asks us to slow down
	STSCredential    Code = "sts_credential"    // STS refuses the permanent key
	STSPermission    Code = "sts_permission"    // the key may not make this call
	STSRequest       Code = "sts_request"       // STS refuses a setting: name, duration, endpoint
	STSClock         Code = "sts_clock"         // this clock is too far from Tencent Cloud's
	STSAnswer        Code = "sts_answer"        // the answer was not one STS gives: HTML, cut, expired
	MinTTLUnmet      Code = "min_ttl_unmet"     // no credential lives as long as min_ttl asks
	Timeout          Code = "timeout"           // the daemon could not answer within its budget
	NoDaemon         Code = "no_daemon"         // said by clients only: the daemon cannot be reached
	Internal         Code = "internal"          // a defect in tcred
)

type outcome struct {
	status    int // HTTP
	retryable bool
}

var outcomes = map[Code]outcome{
	BadRequest:       {400, false},
	NotFound:         {404, false},
	TooLarge:         {413, false},
	Forbidden:        {403, false},
	NoProfile:        {404, false},
	NoKey:            {404, false},
	ConfigInvalid:    {500, false},
	ConfigMismatch:   {409, false},
	PolicyInvalid:    {422, false},
	KeystoreLocked:   {423, false},
	KeystoreAbsent:   {503, false},
	KeystoreTimeout:  {504, true},
	KeystoreReadOnly: {405, false},
	KeystoreFailed:   {500, false},
	WrongPassphrase:  {403, false},
	Unreachable:      {503, true},
	STSTransient:     {503, true},
	STSThrottled:     {503, true},
	STSCredential:    {502, false},
	STSPermission:    {502, false},
	STSRequest:       {502, false},
	STSClock:         {502, false},
	STSAnswer:        {502, true},
	MinTTLUnmet:      {503, true},
	Timeout:          {504, true},
	NoDaemon:         {503, true},
	Internal:         {500, false},
}

func (c Code) outcome() outcome {
	if o, ok := outcomes[c]; ok {
		return o
	}
	return outcomes[Internal]
}

// Status is the HTTP status that answers with this code.
func (c Code) Status() int { return c.outcome().status }

// Retryable reports whether the same request may succeed later with nothing changed.
func (c Code) Retryable() bool { return c.outcome().retryable }

// Error is a failure in words that a person can act on. It crosses the socket as a [Problem], and holds no secret.
type Error struct {
	Code      Code
	Message   string // what failed, naming the thing: one line, lower case, no period, no secret
	Hint      string // what to do about it, in the same manner; may be empty
	RequestID string // of the STS call that failed, if one did; Message already shows it
	Cause     error  // for errors.Is and errors.As; never printed

	wire *outcome // as the daemon said it, which may know codes that this package does not; nil for an error made here
}

// Error returns the message alone.
func (e *Error) Error() string { return e.Message }

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Cause }

// Status is the HTTP status that goes with e: the one it came with, else its code's.
func (e *Error) Status() int { return e.outcome().status }

// Retryable reports whether the same request may succeed later with nothing changed: as the daemon said it, else by
// the code.
func (e *Error) Retryable() bool { return e.outcome().retryable }

func (e *Error) outcome() outcome {
	if e.wire != nil {
		return *e.wire
	}
	return e.Code.outcome()
}

// AsError finds the Error in err's chain. An err without one becomes an Internal error with its text; nil stays nil.
func AsError(err error) *Error {
	if err == nil {
		return nil
	}
	var e *Error
	if errors.As(err, &e) {
		return e
	}
	return &Error{Code: Internal, Message: err.Error(), Cause: err}
}

// CodeOf is the code of err, Internal for errors of no code, "" for nil.
func CodeOf(err error) Code {
	if err == nil {
		return ""
	}
	return AsError(err).Code
}
