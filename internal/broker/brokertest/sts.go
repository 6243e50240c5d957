package brokertest

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/tcred/tcred/api"
	"github.com/tcred/tcred/credential"
	"github.com/tcred/tcred/internal/clock"
)

// STS issues the credentials of the profile, in memory, and says what the keystore and the config say of it. Change
// its fields by Change alone once something asks it.
type STS struct {
	world    *World
	Duration time.Duration // asked for
	Latency  time.Duration // of a call
	Given    time.Duration // a life other than asked for
	Token    credential.Secret
	Err      error         // what every call fails with
	KeyErr   error         // what the keystore fails with
	KeyTime  time.Duration // the keystore takes
	NoName   bool          // config has the profile no more
	Edition  int           // of config: another one is another source
	Revision uint64

	mu       sync.Mutex
	keyReads int
	calls    int
	at       []time.Time // of calls since the last look
	seen     int
	dead     map[string]time.Time // in truth, by SecretID
}

// Change alters how STS, keystore or config behave from here on.
func (f *STS) Change(how func(*STS)) {
	f.mu.Lock()
	defer f.mu.Unlock()
	how(f)
}

// Fail makes each call fail with err; nil mends that.
func (f *STS) Fail(err error) { f.Change(func(f *STS) { f.Err = err }) }

// NewCalls is how many calls came since the last look.
func (f *STS) NewCalls() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	n := f.calls - f.seen
	f.seen = f.calls
	return n
}

// Times is when the calls since the last look came.
func (f *STS) Times() []time.Time {
	f.mu.Lock()
	defer f.mu.Unlock()
	at := f.at
	f.at = nil
	return at
}

// KeyReads is how often the keystore was asked for the permanent key.
func (f *STS) KeyReads() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.keyReads
}

// End is when c ends, in truth.
func (f *STS) End(c credential.Credential) time.Time {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.dead[c.SecretID]
}

// Config is what config says now: the id of the source of that edition, and the revision. The error is NoProfile.
func (f *STS) Config(name string) (id string, revision uint64, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if name != Profile || f.NoName {
		return "", 0, &api.Error{Code: api.NoProfile, Message: fmt.Sprintf("no profile %q", name)}
	}
	return fmt.Sprintf("edition %d", f.Edition), f.Revision, nil
}

// ReadKey is the keystore's answer.
func (f *STS) ReadKey(ctx context.Context) (credential.Secret, error) {
	f.mu.Lock()
	wait, err := f.KeyTime, f.KeyErr
	f.keyReads++
	f.mu.Unlock()
	clock.Sleep(ctx, wait)
	return Key, err
}

// Identify is a call like any other.
func (f *STS) Identify(context.Context, credential.Credential) (api.Identity, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.calls++
	return api.Identity{Type: "CAMUser", AccountID: "100000000001", RequestID: fmt.Sprint("r", f.calls)}, f.Err
}

// Issue counts a life from the wall clock, as package sts does, and remembers when it ends in truth.
func (f *STS) Issue(ctx context.Context) (credential.Credential, error) {
	f.mu.Lock()
	f.calls++
	f.at = append(f.at, time.Now())
	n, latency, token, err := f.calls, f.Latency, f.Token, f.Err
	life := f.Duration
	if f.Given != 0 {
		life = f.Given
	}
	f.mu.Unlock()
	issued, truth := f.world.Wall(), f.world.Truth()
	if !clock.Sleep(ctx, latency) {
		err = &api.Error{Code: api.Unreachable, Message: "cannot reach sts (i/o timeout)"}
	}
	if err != nil {
		return credential.Credential{}, err
	}
	c := credential.Credential{
		SecretID: fmt.Sprintf("tmp-%d", n), SecretKey: "tmp key", Token: token, RequestID: fmt.Sprint("r", n),
		Issued: issued, Expires: issued.Add(life - credential.Margin),
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.dead[c.SecretID] = truth.Add(life)
	return c, nil
}

// Failures, by what they are.
var (
	Down   = &api.Error{Code: api.Unreachable, Message: "cannot reach sts"}
	Slowly = &api.Error{Code: api.STSThrottled, Message: "too fast", RequestID: "59a5e07e"}
	Denied = &api.Error{Code: api.STSPermission, Message: "may not call", Hint: "ask an administrator", RequestID: "59a5e07e"}
	Skewed = &api.Error{Code: api.STSClock, Message: "this clock is behind", RequestID: "59a5e07e"}
	Defect = &api.Error{Code: api.Internal, Message: "a code nobody knows", RequestID: "59a5e07e"}
	Locked = &api.Error{Code: api.KeystoreLocked, Message: "the keychain is locked"}
)
