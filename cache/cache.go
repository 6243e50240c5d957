// Package cache keeps temporary credentials on disk between runs: one file an entry, sealed so that only the
// permanent key it was traded for opens it, and one lock file beside it, so that of many processes one asks STS.
//
// The files of a directory, where KEY is 64 hex digits:
//
//	KEY.cred  a sealed credential; entry.go tells its format
//	KEY.lock  an empty file, locked by whoever renews the entry
//	KEY.tmp   an entry that is being written; it is renamed to KEY.cred once it is whole and on the disk
//
// Where a method returns no error, what went wrong (an entry does not open, say) is logged, once for each kind and
// path. What is returned as an error is the caller's to report: no failure of the cache is a reason to withhold a good
// credential.
//
// # Locks and temporary files
//
// Taking a lock and writing an entry cost the same with 10,000 entries in the directory as with 10: neither lists it.
//
// The process that gets the lock of a key removes KEY.tmp, because the process that was writing it was killed. Put
// makes KEY.tmp only if there is none. So two that write without a lock, on a file system that refuses locks, never mix
// their bytes: the second Put fails. On such a file system a KEY.tmp that a killed process left makes every Put fail,
// until it is 10 minutes old and Sweep removes it.
//
// A process that could wait no longer for the lock writes without it. Another one that gets the lock may then remove
// KEY.tmp while it is being written. The writer looks for that before it renames the file, and its Put fails. Between
// this look and the rename there is an instant: if both the removal and the next writer's KEY.tmp fall into it, an
// unfinished entry is renamed. It does not open, and the next Put replaces it.
//
// Sweep never removes a lock file, because another process may hold it or be about to. So an empty file stays for each
// key that was ever used; a profile gets a new key only when its settings change. DeleteAll, which a person asks for,
// removes the lock files that nobody holds. A process that takes a lock in the instant before its file is removed holds
// one that others do not see. Two may then renew the same entry at once, which costs one more STS call.
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
	"github.com/tcred/tcred/internal/disk"
)

var errNewerEntry = errors.New("the cache entry was written by a newer tcred") // it is left alone

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
//
// Only Lock waits, and only it looks at its context. The other methods take one because a store that is reached over a
// network needs it, and both are to fit the same interface.
type Dir struct {
	path string
	log  *slog.Logger

	mu     sync.Mutex
	warned map[string]bool // what was logged already: kind and path
}

// Open names a cache directory. It touches nothing: the directory is made, 0700, when something is first written,
// and looked at again on each use. One that is a link, another user's or open to others is not used.
func Open(path string, log *slog.Logger) *Dir {
	return &Dir{path: path, log: log, warned: make(map[string]bool)}
}

// Get returns the entry of key if s opens it. It may have expired: the caller has the clock.
// An entry that is damaged or sealed under another secret is a miss, with one warning; the next Put replaces it.
func (d *Dir) Get(_ context.Context, key Key, s *Sealer) (credential.Credential, bool) {
	if !key.valid() || !d.usable() {
		return credential.Credential{}, false
	}
	path := d.file(key, entrySuffix)
	raw, err := readFile(path)
	if err == nil {
		var c credential.Credential
		if c, err = s.open(key, raw); err == nil {
			return c, true
		}
	}
	if !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, errNewerEntry) {
		d.warnOnce("cache entry cannot be read", path, err)
	}
	return credential.Credential{}, false
}

// Put writes c as the entry of key. Hold key's lock, if one can be had. When Put fails, what was there is still
// there and whole; the error says why the entry cannot be written.
func (d *Dir) Put(_ context.Context, key Key, s *Sealer, c credential.Credential) error {
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
	path := d.file(key, entrySuffix)
	if newer(path) {
		return errNewerEntry
	}
	if err := disk.Write(path, string(key)+tempSuffix, entry); err != nil {
		return fmt.Errorf("write cache entry: %w", err)
	}
	return nil
}

// newer reports whether the entry at path is of a version that this tcred does not know.
func newer(path string) bool {
	raw, err := readFile(path)
	if err != nil {
		return false
	}
	h, err := parseHeader(raw)
	return err == nil && h.version > version
}

// Delete removes the entry of key, whoever wrote it, and says when its credential expires, which takes no secret to
// tell. That there is none is no error; the time is zero then.
func (d *Dir) Delete(_ context.Context, key Key) (expires time.Time, err error) {
	if err := key.check(); err != nil {
		return time.Time{}, err
	}
	if err := d.check(); err != nil {
		return time.Time{}, ignoreAbsent(err)
	}
	return d.deleteEntry(key)
}

// DeleteAll removes every entry, whoever wrote it, and what goes with them: temporary files and lock files, unless
// somebody holds the lock, and the directory, if nothing else is in it. It says when the credentials expire.
func (d *Dir) DeleteAll(context.Context) (expires []time.Time, err error) {
	files, err := d.list()
	errs := []error{err}
	for _, f := range files {
		if f.suffix != entrySuffix {
			d.deleteUnlocked(f.key)
			continue
		}
		when, err := d.deleteEntry(f.key)
		if !when.IsZero() {
			expires = append(expires, when)
		}
		errs = append(errs, err)
	}
	if len(files) > 0 {
		os.Remove(d.path) // it is not empty: somebody else's file, or a lock that is held
	}
	return expires, errors.Join(errs...)
}

func (d *Dir) deleteEntry(key Key) (expires time.Time, err error) {
	path := d.file(key, entrySuffix)
	if raw, err := readFile(path); err == nil {
		if h, err := parseHeader(raw); err == nil {
			expires = time.Unix(h.expires, 0)
		}
	}
	return expires, ignoreAbsent(os.Remove(path))
}

// The endings of a key's files.
const (
	entrySuffix = ".cred"
	lockSuffix  = ".lock"
	tempSuffix  = ".tmp"
)

// file is the path of one of a key's files.
func (d *Dir) file(key Key, suffix string) string { return filepath.Join(d.path, string(key)+suffix) }

// maxWarned bounds what is remembered of warnings. Beyond it all is forgotten, and a warning may come again.
const maxWarned = 1000

func (d *Dir) warnOnce(kind, path string, err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	warning := kind + " " + path
	if d.warned[warning] {
		return
	}
	if len(d.warned) >= maxWarned {
		clear(d.warned)
	}
	d.warned[warning] = true
	d.log.Warn(kind, "path", path, "err", err)
}

func ignoreAbsent(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}
