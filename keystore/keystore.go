// Package keystore keeps permanent keys: in the operating system's keychain or in age-encrypted files. It also reads
// them from a directory or from the environment. Its key index holds what is known of each key, except the secret.
//
// Get, Put and the other calls fail with an *api.Error. The code says why: no such key (NoKey), locked, absent (no bus,
// no provider, no directory), wrong passphrase, timed out. A failure that may be over at the next call is not
// remembered.
package keystore

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/tcred/tcred/api"
	"github.com/tcred/tcred/credential"
)

// Key is a permanent SecretId/SecretKey pair. It prints as its masked SecretId, JSON included.
type Key struct {
	ID     string
	Secret credential.Secret
}

// String shows the masked SecretId alone.
func (k Key) String() string { return credential.Mask(k.ID) + " [redacted]" }

// Format prints as String does for every verb, %#v included.
func (k Key) Format(f fmt.State, _ rune) { io.WriteString(f, k.String()) }

// MarshalText is String, which covers JSON, TOML and slog.
func (k Key) MarshalText() ([]byte, error) { return []byte(k.String()), nil }

// A Store holds permanent keys by name.
type Store interface {
	// Name is the backend's, as in Options.
	Name() string
	// Get reads a key; NoKey if there is none.
	Get(ctx context.Context, name string) (Key, error)
	// Put stores a key, and replaces one of that name. The caller of Put and Delete must hold the index's lock: a file
	// keystore has none of its own. A store for which ReadOnly is true answers KeystoreReadOnly.
	Put(ctx context.Context, name string, k Key) error
	// Delete removes a key; NoKey if there is none.
	Delete(ctx context.Context, name string) error
	// List names every key, sorted. The keychain cannot, and answers errors.ErrUnsupported: there the index is the
	// list.
	List(ctx context.Context) ([]string, error)
	// Probe is nil if the store can be used now, else the error that Get would give. It never raises a prompt, not even
	// if Options.Interactive. Unlock does.
	Probe(ctx context.Context) error
	// Unlock opens a locked store. The file keystore wants its passphrase, and refuses a wrong one even if it is open
	// already; with "" it looks for the passphrase itself. The keychain ignores the passphrase and raises the system's
	// own prompt, if Options.Interactive. Of a store that is never locked it says what Probe does.
	Unlock(ctx context.Context, passphrase credential.Secret) error
	// Lock forgets what Unlock opened.
	Lock()
	// ReadOnly reports whether Put and Delete never work.
	ReadOnly() bool
}

// Options say which store to open, and whether a person is there.
type Options struct {
	Backend        string       // "keychain", "file", "dir" or "env"
	Dir            string       // of "dir"; "" is $CREDENTIALS_DIRECTORY
	FileDir        string       // of "file"; see CreateFile
	PassphraseFile string       // of "file"; "" is $CREDENTIALS_DIRECTORY/tcred.passphrase if it exists
	Interactive    bool         // a person is at a terminal: the keychain may prompt, and waits 2 minutes for an answer
	Notify         func(string) // tells the person something, as one lower-case line; may be nil
	Process        string       // whose environment "env" reads, in messages; "" is "this process"
	Executable     string       // the tcred binary whose "keychain-child" command is ChildMain; "" is os.Executable
}

// Open makes the store that o names. It looks at nothing yet: the first call to the store says if it is locked or
// absent.
func Open(o Options) (Store, error) {
	if o.Notify == nil {
		o.Notify = func(string) {}
	}
	switch o.Backend {
	case "keychain":
		return openKeychain(o)
	case "file":
		return openFile(o), nil
	case "dir":
		return &dir{readOnly: readOnly{"dir"}, path: o.Dir, notify: o.Notify}, nil
	case "env":
		return env{readOnly{"env"}, cmp.Or(o.Process, "this process")}, nil
	}
	return nil, fail(api.ConfigInvalid, "", "unknown keystore backend %q", o.Backend)
}

// readOnly has the methods that are the same in all stores that cannot be written.
type readOnly struct{ name string }

func (r readOnly) Name() string { return r.name }

func (r readOnly) Put(context.Context, string, Key) error { return r.refuse() }

func (r readOnly) Delete(context.Context, string) error { return r.refuse() }

func (readOnly) Lock() {}

func (readOnly) ReadOnly() bool { return true }

func (r readOnly) refuse() error {
	return fail(api.KeystoreReadOnly, "tcred init --keystore keychain, or --keystore file, makes one that can be written",
		"keystore %q is read-only", r.name)
}

// checkName refuses names that would lead out of a directory, or mean something else to a keychain.
func checkName(name string) error {
	if api.ValidName(name) {
		return nil
	}
	return fail(api.BadRequest, api.NameHint, "%q cannot be a key's name", name)
}

// noKey says that store does not hold the key of that name.
func noKey(store, name, hint string) error {
	return fail(api.NoKey, hint, "%s holds no key %q", store, name)
}

// consequence is the end of an error message: what cannot be done to the key of that name. It is "" without a name.
func consequence(name, verb string) string {
	if name == "" {
		return ""
	}
	return fmt.Sprintf(", so key %q cannot be %s", name, verb)
}

// fail makes an *api.Error. What %w in format stands for becomes its cause.
func fail(code api.Code, hint, format string, args ...any) error {
	err := fmt.Errorf(format, args...)
	return &api.Error{Code: code, Message: err.Error(), Hint: hint, Cause: errors.Unwrap(err)}
}

// interrupted is the error of a call whose ctx ended. A deadline means that the keystore was too slow; a cancellation
// was asked for by the caller.
func interrupted(ctx context.Context, hint, message string) error {
	if errors.Is(ctx.Err(), context.DeadlineExceeded) {
		return fail(api.KeystoreTimeout, hint, "%s", message)
	}
	return fmt.Errorf("%s: %w", message, ctx.Err())
}
