// Package keystore keeps permanent keys: in the operating system's keychain, in age-encrypted files, or read from a
// directory or the environment. It also keeps the key index, which holds what is known of each key but its secret.
//
// Get, Put and the other calls fail with an *api.Error whose code tells the cases apart: no such key (NoKey), locked,
// absent (no bus, no provider, no directory), wrong passphrase, timed out. Nothing is remembered of a failure that
// another call could cure.
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
	// Name is the backend's: as in Options, or "memory".
	Name() string
	// Get reads a key.
	Get(ctx context.Context, name string) (Key, error)
	// Put stores a key, replacing one of that name. A store for which ReadOnly is true answers KeystoreReadOnly.
	// Hold the index's lock for it and for Delete: a file keystore has no other.
	Put(ctx context.Context, name string, k Key) error
	// Delete removes a key; NoKey if there is none.
	Delete(ctx context.Context, name string) error
	// List names every key, sorted. The keychain cannot: errors.ErrUnsupported, and the index is the list.
	List(ctx context.Context) ([]string, error)
	// Probe says whether the store is usable now, with the error that Get would fail with. It never raises a
	// prompt, not even for a person at a terminal: there Unlock is the call for a store that is locked.
	Probe(ctx context.Context) error
	// Unlock opens a locked store. The file keystore takes the passphrase, the right one even if it is open, or with "" finds it by itself;
	// the keychain ignores it and raises the system's own prompt, if Options.Interactive. Of a store that is never locked
	// it says what Probe does.
	Unlock(ctx context.Context, passphrase credential.Secret) error
	// Lock forgets what Unlock opened.
	Lock()
	// ReadOnly reports whether Put and Delete never work.
	ReadOnly() bool
}

// Options say which store to open and how it treats its person.
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

// Open makes the store of o. It touches nothing yet: a store that is locked or absent says so when it is asked.
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

// readOnly is what the stores that cannot be written share.
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

// checkName keeps names that could leave a directory or confuse a keychain away from every store.
func checkName(name string) error {
	if api.ValidName(name) {
		return nil
	}
	return fail(api.BadRequest, api.NameHint, "%q cannot be a key's name", name)
}

// noKey is the error for a key that store does not hold.
func noKey(store, name, hint string) error {
	return fail(api.NoKey, hint, "%s holds no key %q", store, name)
}

// so ends a message: what the failure kept from being done to the key of that name, if there is one.
func so(done, name string) string {
	if name == "" {
		return ""
	}
	return fmt.Sprintf(", so key %q cannot be %s", name, done)
}

// fail makes an *api.Error; a %w in format becomes its cause.
func fail(code api.Code, hint, format string, args ...any) error {
	err := fmt.Errorf(format, args...)
	return &api.Error{Code: code, Message: err.Error(), Hint: hint, Cause: errors.Unwrap(err)}
}

// interrupted is the error for a call whose ctx ended; what says what was going on. A deadline is the keystore's fault, a cancellation the caller's wish.
func interrupted(ctx context.Context, hint, what string) error {
	if errors.Is(ctx.Err(), context.DeadlineExceeded) {
		return fail(api.KeystoreTimeout, hint, "%s", what)
	}
	return fmt.Errorf("%s: %w", what, ctx.Err())
}
