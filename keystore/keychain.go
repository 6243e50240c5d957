package keystore

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/tcred/tcred/api"
	"github.com/tcred/tcred/credential"
)

// How long a keychain call may take: with nobody to wait for, and once a password window may be open.
const (
	keychainBudget   = 5 * time.Second
	keychainPatience = 2 * time.Minute
)

// ChildCommand is the hidden command of the tcred binary that runs ChildMain.
const ChildCommand = "keychain-child"

// keychain keeps keys in the operating system's keychain: service "tcred", account = the key's name.
//
// Each call runs in a child process. The keychain's libraries know no deadline, and one call to a session bus that
// never answers blocks all later ones of the process: a child can be killed.
type keychain struct {
	executable  string
	interactive bool
	notify      func(string)
	budget      time.Duration // keychainBudget
	patience    time.Duration // keychainPatience
}

func openKeychain(o Options) (Store, error) {
	if o.Executable == "" {
		var err error
		if o.Executable, err = os.Executable(); err != nil {
			return nil, fmt.Errorf("find tcred's own binary: %w", err)
		}
	}
	return &keychain{o.Executable, o.Interactive, o.Notify, keychainBudget, keychainPatience}, nil
}

func (*keychain) Name() string { return "keychain" }

func (*keychain) ReadOnly() bool { return false }

func (k *keychain) Get(ctx context.Context, name string) (Key, error) {
	value, err := k.call(ctx, request{Op: opGet, Name: name})
	if err != nil {
		return Key{}, err
	}
	key, err := ParseKey(value)
	if err != nil {
		return Key{}, fail(api.KeystoreFailed, "tcred add "+name+" --replace",
			"what the keychain holds as key %q is no key: %w", name, err)
	}
	return key, nil
}

func (k *keychain) Put(ctx context.Context, name string, key Key) error {
	value, err := encodePair(key)
	if err != nil {
		return err
	}
	_, err = k.call(ctx, request{Op: opPut, Name: name, Value: value})
	return err
}

func (k *keychain) Delete(ctx context.Context, name string) error {
	_, err := k.call(ctx, request{Op: opDelete, Name: name})
	return err
}

// List is not something keychains can do.
func (*keychain) List(context.Context) ([]string, error) {
	return nil, fmt.Errorf("list the keychain: %w", errors.ErrUnsupported)
}

func (k *keychain) Probe(ctx context.Context) error {
	_, err := k.call(ctx, request{Op: opProbe})
	return err
}

func (k *keychain) Unlock(ctx context.Context, _ credential.Secret) error {
	_, err := k.call(ctx, request{Op: opUnlock})
	return err
}

// Lock does nothing: the keychain is the system's to lock.
func (*keychain) Lock() {}

// call runs one request in a child and kills it, and whatever it started, when its time is over.
func (k *keychain) call(ctx context.Context, r request) (string, error) {
	if err := r.check(); err != nil {
		return "", err
	}
	r.Interactive = k.interactive
	outer := ctx
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	timer := time.AfterFunc(k.budget, cancel)
	defer timer.Stop()
	limit := k.budget
	wait := sync.OnceFunc(func() {
		limit = k.patience
		timer.Reset(k.patience)
		k.notify("a password window of the keychain may be waiting for you")
	})
	a, err := k.exchange(ctx, r, wait)
	switch {
	case err == nil && a.Problem != nil:
		return "", a.Problem.Err()
	case err == nil:
		return a.Value, nil
	case outer.Err() != nil:
		return "", interrupted(outer, timeoutHint, "the keychain has not answered yet"+r.so())
	case ctx.Err() != nil:
		return "", fail(api.KeystoreTimeout, timeoutHint, "the keychain did not answer within %v%s", limit, r.so())
	}
	return "", fail(api.KeystoreFailed, "", "the keychain child failed%s: %w", r.so(), err)
}

const timeoutHint = "is a password window waiting? tcred unlock; no keychain that works here? tcred init --keystore file"

// exchange starts the child, writes r to it and reads its answer. It calls wait for each notice that the child
// waits for a person. When ctx ends, so does the child.
func (k *keychain) exchange(ctx context.Context, r request, wait func()) (answer, error) {
	cmd := exec.CommandContext(ctx, k.executable, ChildCommand)
	cmd.Env = withoutKeys(os.Environ())
	ownGroup(cmd)
	in, err := cmd.StdinPipe()
	if err != nil {
		return answer{}, err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return answer{}, err
	}
	cmd.Cancel = func() error {
		defer out.Close() // whoever else holds the other end: nothing more is read
		return killGroup(cmd)
	}
	if err := cmd.Start(); err != nil {
		return answer{}, err
	}
	defer cmd.Wait()
	defer in.Close() // the sign for the child to end; it must stay open until then
	if err := json.NewEncoder(in).Encode(r); err != nil {
		return answer{}, err
	}
	for d := json.NewDecoder(io.LimitReader(out, maxFile)); ; {
		var a answer
		if err := d.Decode(&a); err != nil {
			return answer{}, err
		}
		if !a.Waiting {
			return a, nil
		}
		wait()
	}
}

// withoutKeys is env without every variable that a tool reads a credential from. A child needs none, and what it starts
// may live long.
func withoutKeys(env []string) []string {
	var held []string
	for _, s := range credential.Spellings() {
		held = append(append(held, s.ID, s.Key), s.Tokens...)
	}
	return slices.DeleteFunc(env, func(kv string) bool {
		name, _, _ := strings.Cut(kv, "=")
		return slices.Contains(held, strings.ToUpper(name)) // Windows knows no case
	})
}
