package keystore

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/tcred/tcred/api"
	"github.com/tcred/tcred/internal/disk"
	"github.com/tcred/tcred/internal/human"
)

// Kinds of users that a key can belong to, by GetCallerIdentity.
const (
	IdentityRoot = "root"        // the account's own: tokens live 2 hours at most
	IdentitySub  = "sub-account" // tokens live 36 hours at most
)

// Entry is what the index holds of one key. There is no secret in it.
type Entry struct {
	Name       string    `json:"name"`
	SecretID   string    `json:"secret_id"`            // in full; show it through Mask
	Generation string    `json:"generation"`           // by NewGeneration; each tcred add makes another
	Site       string    `json:"site,omitempty"`       // "cn" or "intl"
	AccountID  string    `json:"account_id,omitempty"` // uin of the account
	UserID     string    `json:"user_id,omitempty"`    // uin of the user; the account's for its root
	Arn        string    `json:"arn,omitempty"`
	Type       string    `json:"type,omitempty"` // IdentityRoot, IdentitySub, or "" while unknown
	Added      time.Time `json:"added,omitzero"`
}

// Index is the list of keys in the file at Path, 0600. Writers take turns by a lock on a file beside it, which is never
// removed. Readers need no lock, as the file is replaced whole. On a file system without locks, as some clusters have
// for home directories, a writer looks whether another one was faster, and begins anew.
type Index struct {
	Path string

	locked   bool // by Lock, whose caller has this Index
	lockless bool // Lock was called, but the file system has no locks
}

const (
	indexVersion = 1       // the format that this build writes
	maxIndex     = 1 << 20 // the most that is read, in bytes

	indexDir = "the directory of the key index" // in messages
)

type indexFile struct {
	Version int     `json:"version"`
	Keys    []Entry `json:"keys"`
}

// lockWait is how long a writer waits for its turn, and lockPoll how often it looks.
const (
	lockWait = 10 * time.Second
	lockPoll = 5 * time.Millisecond
)

// Load reads every entry, sorted by name. A missing file is an empty index. For one that is damaged or of a newer
// version the error has the code ConfigInvalid and names the file.
func (x Index) Load() ([]Entry, error) {
	if err := checkPrivate(indexDir, filepath.Dir(x.Path)); err != nil {
		return nil, err
	}
	data, err := disk.Read(x.Path, maxIndex)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fail(api.ConfigInvalid, "", "the key index cannot be read: %w", err)
	}
	entries, err := decodeIndex(data)
	if errors.Is(err, errNewer) {
		return nil, fail(api.ConfigInvalid, "upgrade tcred", "key index %s: %w", x.Path, err)
	}
	if err != nil {
		return nil, fail(api.ConfigInvalid,
			"repair it, or move it away and run tcred add --replace for each key; the keystore itself is untouched",
			"key index %s is damaged: %w", x.Path, err)
	}
	return entries, nil
}

// Put adds e, or replaces the entry of its name.
func (x Index) Put(ctx context.Context, e Entry) error {
	if err := checkName(e.Name); err != nil {
		return err
	}
	if err := e.check(); err != nil {
		return fail(api.KeystoreFailed, "", "the key index was not changed: %w", err)
	}
	return x.change(ctx, func(entries []Entry) []Entry {
		return append(without(entries, e.Name), e)
	})
}

// Remove drops the entry of that name, if there is one.
func (x Index) Remove(ctx context.Context, name string) error {
	return x.change(ctx, func(entries []Entry) []Entry { return without(entries, name) })
}

// Lock waits, 10 seconds at most, until no other writer has the lock, and keeps it until unlock is called. Callers that
// change the keystore hold it as well. In the meantime use held in place of x: its Put and Remove do not wait for the
// lock.
func (x Index) Lock(ctx context.Context) (held Index, unlock func(), err error) {
	if err := os.MkdirAll(filepath.Dir(x.Path), 0o700); err != nil {
		return Index{}, nil, fail(api.KeystoreFailed, "", "the key index's directory cannot be made: %w", err)
	}
	if err := checkPrivate(indexDir, filepath.Dir(x.Path)); err != nil {
		return Index{}, nil, err
	}
	lock := disk.NewLock(x.Path + ".lock") // a new one each time: one that is locked already says yes to a second TryLock
	ctx, cancel := context.WithTimeout(ctx, lockWait)
	defer cancel()
	_, err = lock.TryLockContext(ctx, lockPoll)
	if errors.Is(err, context.DeadlineExceeded) {
		return Index{}, nil, fail(api.KeystoreTimeout,
			"is a tcred add or remove waiting for somebody? end it, and try again",
			"no turn at the key index's lock %s: %w", lock.Path(), err)
	}
	x.lockless = disk.NoLocks(err)
	if err != nil && !x.lockless {
		return Index{}, nil, fail(api.KeystoreFailed, "", "no turn at the key index's lock %s: %w", lock.Path(), err)
	}
	x.locked = true
	return x, func() { lock.Unlock() }, nil // if that fails, the end of the process unlocks it
}

// change replaces the entries by what edit returns for them.
func (x Index) change(ctx context.Context, edit func([]Entry) []Entry) error {
	if !x.locked {
		held, unlock, err := x.Lock(ctx)
		if err != nil {
			return err
		}
		defer unlock()
		x = held
	}
	for {
		before, err := x.Load()
		if err != nil {
			return err
		}
		data, err := encodeIndex(edit(slices.Clone(before)))
		if err == nil && len(data) > maxIndex {
			err = fmt.Errorf("with its %d bytes it would be too long to be read again", len(data))
		}
		if err == nil {
			err = x.write(before, data)
		}
		if errors.Is(err, errOutrun) && ctx.Err() == nil {
			continue
		}
		if err != nil {
			return fail(api.KeystoreFailed, "", "the key index was not changed: %w", err)
		}
		return nil
	}
}

var errOutrun = errors.New("another tcred add or remove was faster")

// write replaces the index, which held the entries before, by a file beside it. Older such files are those of writers
// that were killed, where the lock is held; without locks they may be another writer's, and stay.
func (x Index) write(before []Entry, data []byte) error {
	temp := "." + filepath.Base(x.Path) + "-*"
	if !x.lockless {
		removeAll(filepath.Dir(x.Path), temp)
	} else if err := x.unchanged(before); err != nil {
		return err
	}
	return disk.Write(x.Path, temp, data)
}

// unchanged is errOutrun if the index holds something else than before.
func (x Index) unchanged(before []Entry) error {
	now, err := x.Load()
	if err != nil {
		return err
	}
	was, err1 := encodeIndex(before)
	is, err2 := encodeIndex(now)
	if err := errors.Join(err1, err2); err != nil || bytes.Equal(was, is) {
		return err
	}
	return errOutrun
}

func without(entries []Entry, name string) []Entry {
	return slices.DeleteFunc(entries, func(e Entry) bool { return e.Name == name })
}

var errNewer = errors.New("written by a newer tcred")

// decodeIndex is strict: an unknown field would be lost at the next write.
func decodeIndex(data []byte) ([]Entry, error) {
	var head struct{ Version int }
	if err := json.Unmarshal(data, &head); err != nil {
		return nil, err
	}
	if head.Version > indexVersion {
		return nil, fmt.Errorf("%w (version %d, known is %d)", errNewer, head.Version, indexVersion)
	}
	if head.Version != indexVersion {
		return nil, fmt.Errorf("version %d, not %d", head.Version, indexVersion)
	}
	var file indexFile
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	if err := d.Decode(&file); err != nil {
		return nil, err
	}
	sortEntries(file.Keys)
	for i, e := range file.Keys {
		if !api.ValidName(e.Name) {
			return nil, fmt.Errorf("%q is no name for a key", e.Name)
		}
		if i > 0 && file.Keys[i-1].Name == e.Name {
			return nil, fmt.Errorf("key %q is there twice", e.Name)
		}
		if err := e.check(); err != nil {
			return nil, err
		}
	}
	return file.Keys, nil
}

// maxField is the most that a field of an entry has, in bytes. An identity's at Tencent Cloud stay under a hundred.
const maxField = 1024

// check fails for what would not be plain text on a terminal. The error names the field and quotes nothing of it.
func (e Entry) check() error {
	for _, field := range []struct{ name, value string }{
		{"secret_id", e.SecretID}, {"generation", e.Generation}, {"site", e.Site}, {"account_id", e.AccountID},
		{"user_id", e.UserID}, {"arn", e.Arn}, {"type", e.Type},
	} {
		if len(field.value) > maxField || !human.Visible(field.value) {
			return fmt.Errorf("the %s of key %q is not plain text", field.name, e.Name)
		}
	}
	return nil
}

func encodeIndex(entries []Entry) ([]byte, error) {
	sortEntries(entries)
	data, err := json.MarshalIndent(indexFile{indexVersion, entries}, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("encode the key index: %w", err)
	}
	return append(data, '\n'), nil
}

func sortEntries(entries []Entry) {
	slices.SortFunc(entries, func(a, b Entry) int { return strings.Compare(a.Name, b.Name) })
}

// NewGeneration returns 16 random hex digits that tell one addition of a key from the next.
func NewGeneration() string {
	var b [8]byte
	rand.Read(b[:]) // never fails
	return hex.EncodeToString(b[:])
}
