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

// How long a keychain call may take.
const (
	keychainTimeout = 5 * time.Second
	promptTimeout   = 2 * time.Minute // once a password window may be open
)

// ChildCommand is the hidden command of the tcred binary that runs ChildMain.
const ChildCommand = "keychain-child"

// keychain keeps keys in the operating system's keychain: service "tcred", account = the key's name.
//
// Each call runs in a child process, which can be killed. The keychain's libraries know no deadline, and after a call
// to a session bus that never answers, every later call of the same process hangs too.
type keychain struct {
	executable    string
	interactive   bool
	notify        func(string)
	timeout       time.Duration // keychainTimeout
	promptTimeout time.Duration
}

func openKeychain(o Options) (Store, error) {
	if o.Executable == "" {
		var err error
		if o.Executable, err = os.Executable(); err != nil {
			return nil, fmt.Errorf("find tcred's own binary: %w", err)
		}
	}
	return &keychain{o.Executable, o.Interactive, o.Notify, keychainTimeout, promptTimeout}, nil
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

// List always fails: keychains cannot list their items.
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

// Lock does nothing: the system locks its keychain itself.
func (*keychain) Lock() {}

// call runs one request in a child. When its time is over, the child is killed, with all that it started.
func (k *keychain) call(ctx context.Context, r request) (string, error) {
	if err := r.check(); err != nil {
		return "", err
	}
	r.Interactive = k.interactive
	childCtx, cancel := context.WithCancel(ctx)
	defer cancel()
	limit := k.timeout
	timer := time.AfterFunc(limit, cancel)
	defer timer.Stop()
	a, err := k.exchange(childCtx, r, sync.OnceFunc(func() {
		limit = k.promptTimeout
		timer.Reset(limit)
		k.notify("a password window of the keychain may be waiting for you")
	}))
	switch {
	case err == nil && a.Problem != nil:
		return "", a.Problem.Err()
	case err == nil:
		return a.Value, nil
	case ctx.Err() != nil:
		return "", interrupted(ctx, timeoutHint, "the keychain has not answered yet"+r.consequence())
	case childCtx.Err() != nil:
		return "", fail(api.KeystoreTimeout, timeoutHint, "the keychain did not answer within %v%s", limit, r.consequence())
	}
	return "", fail(api.KeystoreFailed, "", "the keychain child failed%s: %w", r.consequence(), err)
}

const timeoutHint = "is a password window waiting? tcred unlock; no keychain that works here? " + fileCure

// exchange starts the child, writes r to it and reads its answer. It calls waiting each time the child says that it
// waits for a person. When ctx ends, the child is killed.
func (k *keychain) exchange(ctx context.Context, r request, waiting func()) (answer, error) {
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
		defer out.Close() // a process that the child started may hold the pipe open: do not wait for it
		return killGroup(cmd)
	}
	if err := cmd.Start(); err != nil {
		return answer{}, err
	}
	defer cmd.Wait()
	defer in.Close() // it tells the child to end, so it stays open until the answer is read
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
		waiting()
	}
}

// withoutKeys takes out of env every variable that a tool reads a credential from. The child needs none, and a program
// that it starts, such as a keychain's, may run for long.
func withoutKeys(env []string) []string {
	var names []string
	for _, s := range credential.Spellings() {
		names = append(append(names, s.ID, s.Key), s.Tokens...)
	}
	return slices.DeleteFunc(env, func(variable string) bool {
		name, _, _ := strings.Cut(variable, "=")
		return slices.Contains(names, strings.ToUpper(name)) // on Windows "Path" is "PATH"
	})
}
