package cache

import (
	"os"
	"path/filepath"
	"strings"
	"time"
)

// How long what is of no more use is kept.
const (
	expiredKept = time.Hour          // a clock that steps should not empty the cache
	newerKept   = 24 * time.Hour     // after expiry, of an entry whose version we do not know
	damagedKept = 7 * 24 * time.Hour // since it was written

	// unlockedKept is for a temporary file that no lock can be had for. A write takes milliseconds, but the file's time
	// comes from its server's clock, and STS works with clocks that are up to 5 minutes off.
	unlockedKept = 10 * time.Minute
)

// Sweep removes expired entries, old ones that are damaged, and temporary files that killed writers left. It touches
// the files of a key only under its lock, and waits for none: whoever holds it has removed what a killed writer left.
func (d *Dir) Sweep(now time.Time) {
	if !d.usable() {
		return
	}
	files, err := d.list()
	if err != nil {
		d.warnOnce("cache cannot be swept", d.path, err)
	}
	for _, f := range files {
		if path := d.file(f.key, f.suffix); f.suffix == tempSuffix || f.suffix == entrySuffix && useless(path, now) {
			d.sweepFile(f, now)
		}
	}
}

// sweepFile looks at the file again, now that nobody writes.
func (d *Dir) sweepFile(f file, now time.Time) {
	lock := d.newLock(f.key)
	locked, err := lock.TryLock()
	if err == nil && !locked {
		return // somebody holds it
	}
	defer lock.Unlock()
	path := d.file(f.key, f.suffix)
	switch {
	case f.suffix == entrySuffix && useless(path, now),
		f.suffix == tempSuffix && (locked || older(path, now, unlockedKept)):
		d.remove(path)
	}
}

// useless reports whether an entry is of no more use: expired, or damaged and old.
func useless(path string, now time.Time) bool {
	raw, err := readFile(path)
	if err != nil {
		return older(path, now, damagedKept)
	}
	h, err := parseHeader(raw)
	if err != nil {
		return older(path, now, damagedKept)
	}
	kept := expiredKept
	if h.version > version {
		kept = newerKept
	}
	return now.After(time.Unix(h.expires, 0).Add(kept))
}

// older reports whether more than age has passed since the file was written.
func older(path string, now time.Time, age time.Duration) bool {
	info, err := os.Lstat(path)
	return err == nil && now.Sub(info.ModTime()) > age
}

// file is one of a key's files.
type file struct {
	key    Key
	suffix string
}

// list returns the files of all keys. Other files in the directory are not ours.
func (d *Dir) list() (files []file, err error) {
	if err := d.check(); err != nil {
		return nil, ignoreAbsent(err)
	}
	found, err := os.ReadDir(d.path)
	for _, f := range found {
		suffix := filepath.Ext(f.Name())
		if key := Key(strings.TrimSuffix(f.Name(), suffix)); key.valid() {
			files = append(files, file{key, suffix})
		}
	}
	return files, ignoreAbsent(err)
}
