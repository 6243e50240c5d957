// Package cache keeps temporary credentials on disk between runs: one file an entry, sealed so that only the
// permanent key it was traded for opens it, and one lock file beside it, so that of many processes one asks STS.
//
// The files of a directory, where KEY is 64 hex digits:
//
//	salt          32 random bytes, which every seal of this directory depends on
//	KEY.cred      a sealed credential; entry.go tells its format
//	KEY.lock      held by whoever renews the entry; sweep.go removes it, under itself
//	KEY.tmp*      an entry that is being written, by the holder of the lock; the next holder removes a killed one's
//	KEY.damaged   an entry that could not be opened, moved aside for whoever wants to know why
//
// What a result cannot carry (a damaged entry, say) is logged, once for each kind and path. What is returned
// as an error is the caller's to report: no failure of the cache is a reason to withhold a good credential.
package cache

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/tcred/tcred/credential"
)

// ErrStaleSealer is Put's when the directory's salt is no longer the one the Sealer was made with: make a new Sealer.
var ErrStaleSealer = errors.New("the cache directory has a new salt")

var (
	errNoLock     = errors.New("cannot lock the cache entry")
	errNewerEntry = errors.New("the cache entry was written by a newer tcred") // it is left alone
)

// Key names an entry: a SHA-256 in lower-case hex, as KeyOf makes it.
type Key string

// KeyOf is the key of the credentials of one source. Everything that changes what the source issues is in its id.
func KeyOf(sourceID string) Key {
	sum := sha256.Sum256([]byte(sourceID))
	return Key(hex.EncodeToString(sum[:]))
}

// valid keeps a Key that KeyOf did not make from naming a file somewhere else.
func (k Key) valid() bool {
	raw, err := hex.DecodeString(string(k))
	return err == nil && len(raw) == sha256.Size && hex.EncodeToString(raw) == string(k)
}

func (k Key) check() error {
	if !k.valid() {
		return fmt.Errorf("%q is not a cache key", string(k))
	}
	return nil
}

// Dir is a cache directory. Many goroutines and many processes may use one at once.
type Dir struct {
	path   string
	log    *slog.Logger
	warned sync.Map // what was logged already: kind and path
}

// Open names a cache directory. It touches nothing: the directory is made, 0700, when something is first written,
// and looked at again on each use. One that is a link, another user's or open to others is not used.
func Open(path string, log *slog.Logger) *Dir {
	return &Dir{path: path, log: log}
}

// Get returns the entry of key if s opens it. It may have expired: the caller has the clock.
// An entry that is damaged or sealed under another secret is a miss; it is moved aside, with one warning.
func (d *Dir) Get(_ context.Context, key Key, s *Sealer) (credential.Credential, bool) {
	if !key.valid() || !d.usable() {
		return credential.Credential{}, false
	}
	path := d.file(string(key), entrySuffix)
	c, info, err := d.read(key, s, path)
	switch {
	case err == nil:
		return c, true
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, errNewerEntry), errors.Is(err, ErrStaleSealer):
		// Nothing is wrong with an absent entry; of the others Put and Stale tell the caller.
	case errors.Is(err, errDamaged), errors.Is(err, fs.ErrPermission):
		d.warnOnce("cache entry cannot be used; moved aside", path, err)
		d.moveAside(string(key), entrySuffix, info)
	default:
		d.warnOnce("cache entry cannot be read", path, err)
	}
	return credential.Credential{}, false
}

// read also returns what it knows of the file, so that no other one is moved aside for it.
func (d *Dir) read(key Key, s *Sealer, path string) (credential.Credential, fs.FileInfo, error) {
	raw, info, err := readFile(path)
	if err != nil {
		return credential.Credential{}, info, err
	}
	c, err := s.open(key, raw)
	if errors.Is(err, errDamaged) && d.Stale(s) {
		err = ErrStaleSealer // it may well be whole, under the new salt
	}
	return c, info, err
}

// Put writes c as the entry of key. Hold key's lock, if one can be had. When Put fails, what was there is still
// there and whole. Errors: ErrStaleSealer, or why the entry cannot be written. It waits only if the salt has vanished,
// for another process that brings it back, until ctx ends.
func (d *Dir) Put(ctx context.Context, key Key, s *Sealer, c credential.Credential) error {
	if err := key.check(); err != nil {
		return err
	}
	entry, err := s.seal(key, c)
	if err != nil {
		return err
	}
	if err := d.make(); err != nil {
		return err
	}
	if err := d.keepSalt(ctx, s); err != nil {
		return err
	}
	if d.newer(key) {
		return errNewerEntry
	}
	return d.write(string(key), entrySuffix, entry, os.Rename)
}

// newer reports whether the entry of key is of a version that this tcred does not know.
func (d *Dir) newer(key Key) bool {
	raw, _, err := readFile(d.file(string(key), entrySuffix))
	if err != nil {
		return false
	}
	h, err := parseHeader(raw)
	return err == nil && h.version > version
}

// Delete removes the entry of key, whoever wrote it, and says when its credential expires, which takes no key to tell.
// That there is none is no error; the time is zero then.
func (d *Dir) Delete(_ context.Context, key Key) (expires time.Time, err error) {
	if err := key.check(); err != nil {
		return time.Time{}, err
	}
	return d.remove(string(key))
}

// DeleteAll removes every entry, whoever wrote it, and what goes with them: the salt, which the next Put brings back,
// what killed writers left, lock files that nobody holds, and the directory, if nothing else is in it. It says when the
// credentials of the entries expire.
func (d *Dir) DeleteAll(context.Context) (expires []time.Time, err error) {
	names, err := d.list()
	errs := []error{err}
	for name, suffixes := range names {
		when, err := d.remove(name)
		if !when.IsZero() {
			expires = append(expires, when)
		}
		errs = append(errs, err)
		d.tidy(name, suffixes, time.Now())
	}
	if len(names) > 0 {
		errs = append(errs, ignoreAbsent(os.Remove(d.file(saltName, ""))))
		os.Remove(d.path) // it is not empty: somebody else's file, or a lock that is held
	}
	return expires, errors.Join(errs...)
}

func (d *Dir) remove(name string) (expires time.Time, err error) {
	if err := d.check(); err != nil {
		return time.Time{}, ignoreAbsent(err)
	}
	if raw, _, err := readFile(d.file(name, entrySuffix)); err == nil {
		if h, err := parseHeader(raw); err == nil {
			expires = time.Unix(h.expires, 0)
		}
	}
	return expires, errors.Join(
		ignoreAbsent(os.Remove(d.file(name, entrySuffix))),
		os.RemoveAll(d.file(name, damagedSuffix)))
}

// moveAside keeps one damaged file a name, and leaves alone a file that has taken the place of the one read.
// A replacement in the instant between look and rename would be lost: that costs one more STS call, no more.
func (d *Dir) moveAside(name, suffix string, read fs.FileInfo) {
	from, to := d.file(name, suffix), d.file(name, damagedSuffix)
	now, err := os.Lstat(from)
	if err != nil || !os.SameFile(read, now) || !read.ModTime().Equal(now.ModTime()) {
		return
	}
	if err := errors.Join(os.RemoveAll(to), os.Rename(from, to)); err != nil {
		d.warnOnce("damaged cache file cannot be moved aside", from, err)
	}
}

// The endings of a name's files.
const (
	entrySuffix   = ".cred"
	lockSuffix    = ".lock"
	damagedSuffix = ".damaged"
	tempSuffix    = ".tmp" // random digits follow
)

// file is the path of one of a name's files. A name is a Key or saltName.
func (d *Dir) file(name, suffix string) string { return filepath.Join(d.path, name+suffix) }

func (d *Dir) warnOnce(kind, path string, err error) {
	if _, again := d.warned.LoadOrStore([2]string{kind, path}, true); !again {
		d.log.Warn(kind, "path", path, "error", err)
	}
}

func ignoreAbsent(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}
