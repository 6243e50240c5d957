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

// keychainService is the service name of every key's item in the keychain; the account name is the key's.
const keychainService = "tcred"

// What a keychain child can be asked to do.
const (
	opGet    = "get"    // the answer's Value is the pair
	opPut    = "put"    // the request's Value is the pair
	opDelete = "delete" // the key's item
	opProbe  = "probe"  // say whether the keychain can be used
	opUnlock = "unlock" // make it usable, by a prompt if Interactive
)

// request is the one line that a keychain child reads. The secret in it is seen by nobody else: a pipe carries it.
type request struct {
	Op          string `json:"op"`
	Name        string `json:"name,omitempty"`
	Value       string `json:"value,omitempty"`
	Interactive bool   `json:"interactive,omitempty"` // a prompt may be raised
}

// answer is a line that the child writes. Lines with Waiting may come first; the last line is the outcome.
type answer struct {
	Waiting bool         `json:"waiting,omitempty"` // the child waits for a person
	Value   string       `json:"value,omitempty"`
	Problem *api.Problem `json:"problem,omitempty"` // the failure, if it is one
}

// promptGrace is how long a call that may prompt runs before the person is told to look for a window.
const promptGrace = 2 * time.Second

// ChildMain is the body of the hidden command ChildCommand. It reads one request, a line of JSON, from in, asks the
// keychain, and writes the answer to out. It returns the exit status, with which the process must end at once: a call
// to the keychain may still hang. When in ends, nobody waits for the answer any more, and it returns without one.
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
	return r.answerTo(out, lines, request.serve)
}

// answerTo writes to out what serve answers to r, unless in ends before. It returns the exit status.
func (r request) answerTo(out io.Writer, in io.Reader, serve func(r request, waiting func()) answer) int {
	var mu sync.Mutex
	write := func(a answer) {
		mu.Lock()
		defer mu.Unlock()
		json.NewEncoder(out).Encode(a) // it fails only if the parent is gone; then in ends
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		write(serve(r, func() { write(answer{Waiting: true}) }))
	}()
	parentGone := make(chan struct{})
	go func() {
		defer close(parentGone)
		io.Copy(io.Discard, in)
	}()
	select {
	case <-done:
		return say.ExitOK
	case <-parentGone:
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

// consequence is the end of an error message: what r could not do.
func (r request) consequence() string {
	return consequence(r.Name, map[string]string{opGet: "read", opPut: "stored", opDelete: "removed"}[r.Op])
}

// Failures of a keychain. What a person is told of each is in explain.
var (
	errLocked    = errors.New("locked")
	errNew       = errors.New("no keyring in it yet")
	errDismissed = errors.New("prompt dismissed")
)

// absentError says that there is no keychain.
type absentError struct{ reason, cure string }

func (e *absentError) Error() string { return e.reason }

const (
	fileCure   = "tcred init --keystore file"
	lockedCure = "tcred unlock; no screen here? " + fileCure
)

// explain makes an error for a person of one that the keychain or prepare gave.
func (r request) explain(err error) error {
	var absent *absentError
	var known *api.Error
	switch err = platformError(err); {
	case errors.As(err, &known):
		return err
	case errors.As(err, &absent):
		return fail(api.KeystoreAbsent, absent.cure, "%w%s", err, r.consequence())
	case errors.Is(err, keyring.ErrNotFound):
		return noKey("the keychain", r.Name, "tcred add "+r.Name)
	case errors.Is(err, errLocked):
		return fail(api.KeystoreLocked, lockedCure, "the keychain is locked%s", r.consequence())
	case errors.Is(err, errNew):
		return fail(api.KeystoreLocked, "tcred unlock makes one; no screen here? "+fileCure,
			"the keychain has no keyring yet%s", r.consequence())
	case errors.Is(err, errDismissed):
		return fail(api.KeystoreLocked, lockedCure,
			"the keychain stays locked, for its password window was dismissed%s", r.consequence())
	}
	return fail(api.KeystoreFailed, "tcred doctor; or "+fileCure, "the keychain failed (%w)%s", err, r.consequence())
}
