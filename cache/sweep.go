package cache

import (
	"errors"
	"io/fs"
	"os"
	"strings"
	"time"

	"github.com/gofrs/flock"
)

// How long what is of no more use is kept.
const (
	expiredKept = time.Hour          // a clock that steps should not empty the cache
	newerKept   = 24 * time.Hour     // after expiry, of an entry whose version we do not know
	damagedKept = 7 * 24 * time.Hour // since it was written
)

// Sweep removes expired entries, old damaged ones, what killed writers left, and the lock files of entries that
// are gone; removed counts the entries. It touches a name's files only under its lock, and waits for none: whoever
// holds it has removed what a killed writer left.
func (d *Dir) Sweep(now time.Time) (removed int) {
	if !d.usable() {
		return 0
	}
	names, err := d.list()
	if err != nil {
		d.warnOnce("cache cannot be swept", d.path, err)
	}
	for name, suffixes := range names {
		litter := d.litter(name, suffixes, now)
		if len(litter) > 0 || !d.inUse(name) {
			removed += d.tidy(name, litter, now)
		}
	}
	return removed
}

// tidy removes a name's litter, and its lock file if that is of no more use, unless somebody holds the lock. It looks
// at the litter again, now that nobody writes.
func (d *Dir) tidy(name string, litter []string, now time.Time) (removed int) {
	held, ok := d.tryLock(name)
	if !ok {
		return 0
	}
	defer d.release(name, held)
	return d.discard(name, d.litter(name, litter, now))
}

// release unlocks a name; a lock file that is of no more use goes.
func (d *Dir) release(name string, held *flock.Flock) {
	if d.inUse(name) {
		held.Unlock()
	} else {
		removeHeld(held)
	}
}

// list returns the endings of each name's files. It knows our files only: other ones are nobody's business.
func (d *Dir) list() (map[string][]string, error) {
	if err := d.check(); err != nil {
		return nil, ignoreAbsent(err)
	}
	files, err := os.ReadDir(d.path)
	names := make(map[string][]string)
	for _, file := range files {
		name, ending, ok := strings.Cut(file.Name(), ".")
		if ok && (name == saltName || Key(name).valid()) {
			names[name] = append(names[name], "."+ending)
		}
	}
	return names, ignoreAbsent(err)
}

// litter is those of a name's files that may go. Its lock file is not among them.
func (d *Dir) litter(name string, suffixes []string, now time.Time) (litter []string) {
	for _, suffix := range suffixes {
		path := d.file(name, suffix)
		switch {
		case strings.HasPrefix(suffix, tempSuffix),
			suffix == entrySuffix && outlived(path, now),
			suffix == damagedSuffix && aged(path, now):
			litter = append(litter, suffix)
		}
	}
	return litter
}

func (d *Dir) discard(name string, suffixes []string) (entries int) {
	for _, suffix := range suffixes {
		path := d.file(name, suffix)
		switch err := os.RemoveAll(path); {
		case err != nil:
			d.warnOnce("cache cannot be swept", path, err)
		case suffix == entrySuffix:
			entries++
		}
	}
	return entries
}

// inUse reports whether a name has an entry, and with it a use for its lock file.
func (d *Dir) inUse(name string) bool {
	_, err := os.Lstat(d.file(name, entrySuffix))
	return !errors.Is(err, fs.ErrNotExist)
}

// outlived reports whether an entry is of no more use: expired, or damaged and old.
func outlived(path string, now time.Time) bool {
	raw, _, err := readFile(path)
	if err != nil {
		return aged(path, now)
	}
	h, err := parseHeader(raw)
	if err != nil {
		return aged(path, now)
	}
	kept := expiredKept
	if h.version > version {
		kept = newerKept
	}
	return now.After(time.Unix(h.expires, 0).Add(kept))
}

func aged(path string, now time.Time) bool {
	info, err := os.Lstat(path)
	return err == nil && now.Sub(info.ModTime()) > damagedKept
}
