package keystore

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	keyring "github.com/zalando/go-keyring"

	"github.com/tcred/tcred/api"
	"github.com/tcred/tcred/internal/say"
)

// keychainService is the service under which the keychain files every key.
const keychainService = "tcred"

// What a keychain child can be asked for.
const (
	opGet    = "get"    // the answer's Value is the pair
	opPut    = "put"    // Value is the pair
	opDelete = "delete" //
	opProbe  = "probe"  // is it usable?
	opUnlock = "unlock" // make it usable, by a prompt if Interactive
)

// request is the one line that a keychain child reads. The secret in it travels through the pipe only.
type request struct {
	Op          string `json:"op"`
	Name        string `json:"name,omitempty"`
	Value       string `json:"value,omitempty"`
	Interactive bool   `json:"interactive,omitempty"` // a prompt may be raised
}

// answer is a line that the child writes: any number of notices that it waits for a person, then the outcome.
type answer struct {
	Waiting bool         `json:"waiting,omitempty"`
	Value   string       `json:"value,omitempty"`
	Problem *api.Problem `json:"problem,omitempty"` // the failure, if it is one
}

// promptGrace is how long a call that may prompt is quiet before the person is told to look for a window.
const promptGrace = 2 * time.Second

// ChildMain is the body of the hidden command ChildCommand: it reads one request as a line of JSON from in, asks
// the keychain and writes the answer to out. When in ends, its parent is gone or has lost interest: it returns at
// once, and the caller must exit even while the keychain still hangs. It returns the exit status.
func ChildMain(args []string, in io.Reader, out io.Writer) int {
	if len(args) != 0 {
		return say.ExitUsage
	}
	lines := bufio.NewReader(io.LimitReader(in, maxFile))
	line, err := lines.ReadBytes('\n')
	if err != nil {
		return say.ExitUsage
	}
	var r request
	if err := json.Unmarshal(line, &r); err != nil {
		return say.ExitUsage
	}
	var writing sync.Mutex
	tell := func(a answer) {
		writing.Lock()
		defer writing.Unlock()
		json.NewEncoder(out).Encode(a) // to a parent that went away; then in ends too
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		tell(r.serve(func() { tell(answer{Waiting: true}) }))
	}()
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		io.Copy(io.Discard, lines)
	}()
	select {
	case <-done:
		return say.ExitOK
	case <-ended:
		return say.ExitFailed
	}
}

// serve does what r asks for. It calls waiting when a person may have to answer a prompt.
func (r request) serve(waiting func()) answer {
	value, err := r.run(sync.OnceFunc(waiting))
	if err != nil {
		return answer{Problem: api.ProblemOf(api.AsError(r.explain(err)))}
	}
	return answer{Value: value}
}

func (r request) run(waiting func()) (string, error) {
	if err := r.check(); err != nil {
		return "", err
	}
	if err := r.prepare(waiting); err != nil {
		return "", err
	}
	if r.Interactive {
		defer time.AfterFunc(promptGrace, waiting).Stop()
	}
	switch r.Op {
	case opGet:
		return keyring.Get(keychainService, r.Name)
	case opPut:
		return "", keyring.Set(keychainService, r.Name, r.Value)
	case opDelete:
		return "", keyring.Delete(keychainService, r.Name)
	}
	return "", nil
}

func (r request) check() error {
	switch r.Op {
	case opProbe, opUnlock:
		return nil
	case opGet, opPut, opDelete:
		return checkName(r.Name)
	}
	return fmt.Errorf("unknown keychain request %q", r.Op)
}

// so ends an error message with what r could not do.
func (r request) so() string {
	return so(map[string]string{opGet: "read", opPut: "stored", opDelete: "removed"}[r.Op], r.Name)
}

// Ways a keychain fails that explain words for a person.
var (
	errLocked    = errors.New("locked")
	errNew       = errors.New("no keyring in it yet")
	errDismissed = errors.New("prompt dismissed")
)

// absentError says that there is no keychain: why, and the cure.
type absentError struct{ why, cure string }

func (e *absentError) Error() string { return e.why }

const (
	fileCure   = "tcred init --keystore file"
	lockedCure = "tcred unlock; no screen here? " + fileCure
)

// explain turns what the keychain or prepare said into an error for a person.
func (r request) explain(err error) error {
	var absent *absentError
	var known *api.Error
	switch err = platformError(err); {
	case errors.As(err, &known):
		return err
	case errors.As(err, &absent):
		return fail(api.KeystoreAbsent, absent.cure, "%w%s", err, r.so())
	case errors.Is(err, keyring.ErrNotFound):
		return noKey("the keychain", r.Name, "tcred add "+r.Name)
	case errors.Is(err, errLocked):
		return fail(api.KeystoreLocked, lockedCure, "the keychain is locked%s", r.so())
	case errors.Is(err, errNew):
		return fail(api.KeystoreLocked, "tcred unlock makes one; no screen here? "+fileCure, "the keychain has no keyring yet%s", r.so())
	case errors.Is(err, errDismissed):
		return fail(api.KeystoreLocked, lockedCure, "the keychain stays locked, for its password window was dismissed%s", r.so())
	}
	return fail(api.KeystoreFailed, "tcred doctor; or "+fileCure, "the keychain failed (%w)%s", err, r.so())
}
