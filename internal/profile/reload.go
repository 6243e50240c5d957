package profile

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"strings"
	"time"

	"github.com/tcred/tcred/api"
	"github.com/tcred/tcred/internal/config"
	"github.com/tcred/tcred/internal/human"
	"github.com/tcred/tcred/internal/sts"
	"github.com/tcred/tcred/keystore"
)

// lookEvery is how seldom config and index are looked at.
const lookEvery = time.Second

// fingerprints tell by size, time, mode and inode whether files changed, by path.
type fingerprints map[string]string

func fingerprint(files []string) fingerprints {
	prints := make(fingerprints, len(files))
	for _, f := range files {
		info, err := os.Stat(f)
		if err != nil {
			prints[f] = "none"
			continue
		}
		prints[f] = fmt.Sprintf("%d %d %s %d", info.Size(), info.ModTime().UnixNano(), info.Mode(), inode(info))
	}
	return prints
}

// missingHold is how long the last reading goes on when config.toml is gone or empty: tools that replace a file in two
// steps leave it so for a moment. It is the one exception to what the files state.
const missingHold = 30 * time.Second

// readSince is f for files that were read after before was taken: one that changed meanwhile may have been read as it
// was, so its change counts as one that is still to be seen.
func (f fingerprints) readSince(before fingerprints) fingerprints {
	for file, print := range before {
		if _, still := f[file]; still {
			f[file] = print
		}
	}
	return f
}

// current is the reading to serve from, its revision, and why it is not of what is on disk.
func (s *Set) current() (*reading, uint64, held, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.lookIfDue()
	if s.reading == nil {
		return nil, 0, held{}, s.problem
	}
	return s.reading, s.revision, s.held, nil
}

// Reload looks at config and index now, and says what is wrong with them.
func (s *Set) Reload() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.seen = nil
	s.look()
	return s.problem
}

// Problem is why what is on disk is not what is served from; nil while it is.
func (s *Set) Problem() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.lookIfDue()
	return s.problem
}

func (s *Set) lookIfDue() {
	if s.looked.IsZero() || time.Since(s.looked) >= lookEvery {
		s.look()
	}
}

// look takes up what changed on disk. What is wrong is read anew each time: its cure may be in a directory, which has
// no fingerprint here.
func (s *Set) look() {
	s.looked = time.Now()
	before := fingerprint(s.watched)
	if s.seen != nil && s.problem == nil && maps.Equal(before, s.seen) {
		return
	}
	r, err := s.read()
	s.watched = s.filesOf(r, err)
	s.seen = fingerprint(s.watched).readSince(before)
	if err != nil && (s.problem == nil || s.problem.Error() != err.Error()) {
		s.o.Log.Error("config not taken up whole", "err", err)
	}
	s.problem = err
	if r == nil {
		return
	}
	if s.reading != nil && r.sameAs(s.reading) {
		return
	}
	s.reading = r
	s.revision++
	s.o.Log.Info("config read", "path", s.o.ConfigPath, "profiles", len(r.config.Profiles), "keys", len(r.keys))
}

// filesOf lists what a reading came from, or failed on.
func (s *Set) filesOf(r *reading, err error) []string {
	files := []string{s.o.ConfigPath, s.o.Index.Path}
	var invalid *config.Invalid
	if errors.As(err, &invalid) {
		files = append(files, invalid.Files...)
	}
	if r != nil {
		files = append(files, r.config.Files()...)
	}
	return files
}

// read loads everything anew. It returns no reading where the last one goes on, and then says in s.held for whom. An
// error beside a reading is what is wrong with a part of it.
func (s *Set) read() (*reading, error) {
	if err := s.holdMissing(); err != nil {
		return nil, err
	}
	c, _, invalid := config.Load(s.o.ConfigPath)
	if c == nil {
		s.held = s.holdUnread(invalid)
		return nil, invalid
	}
	r := &reading{config: c, clients: make(map[clientKey]*sts.Client), empty: s.emptyConfig()}
	s.held = held{}
	entries, err := s.o.Index.Load()
	switch {
	case err == nil:
		r.keys = make(map[string]keystore.Entry, len(entries))
		for _, e := range entries {
			r.keys[e.Name] = e
		}
	case s.reading == nil:
		return nil, err
	default: // what is known of the keys gives nobody more rights
		r.keys = s.reading.keys
	}
	if r.store, r.storeErr = s.storeOf(c); r.storeErr != nil && err == nil {
		err = r.storeErr
	}
	if invalid != nil {
		return r, invalid
	}
	return r, err
}

// emptyConfig reports whether there is no config.toml, or one without a byte in it.
func (s *Set) emptyConfig() bool {
	info, err := os.Stat(s.o.ConfigPath)
	return errors.Is(err, fs.ErrNotExist) || err == nil && info.Mode().IsRegular() && info.Size() == 0
}

// holdMissing lets the last reading go on for missingHold after config.toml vanished, and is nil if it does not. What
// is wrong with the other files counts all the same.
func (s *Set) holdMissing() error {
	if s.reading == nil || s.reading.empty || !s.emptyConfig() {
		s.missing = time.Time{}
		return nil
	}
	if s.missing.IsZero() {
		s.missing = time.Now()
	}
	if time.Since(s.missing) >= missingHold {
		return nil
	}
	err := &api.Error{
		Code:    api.ConfigInvalid,
		Message: fmt.Sprintf("%s is missing or empty; what it said holds for %s", s.o.ConfigPath, human.Span(missingHold)),
		Hint:    "put it back; after that everything is at its default",
	}
	s.held = held{problem: err, same: s.reading.config.FilesUnchanged}
	return err
}

// holdUnread lets the last reading go on, while config.toml cannot be parsed, for profiles of which no byte changed.
func (s *Set) holdUnread(invalid error) held {
	if s.reading == nil {
		return held{}
	}
	now, err := config.Snap(s.o.ConfigPath)
	if err != nil {
		return held{problem: invalid, same: func(string) bool { return false }}
	}
	c := s.reading.config
	return held{problem: invalid, same: func(name string) bool { return c.Unchanged(now, name) }}
}

// storeOf is the keystore that c names. It stays the one it was, opened or not, unless c names another; what is wrong
// with its settings is no reason to forget it, nor to use it.
func (s *Set) storeOf(c *config.Config) (keystore.Store, error) {
	wrong := c.KeystoreProblem()
	if by, err := c.Keystore.By(os.Getenv(api.EnvKeystore)); err != nil {
		wrong = s.ofProcess(err)
	} else {
		c.Keystore = by
	}
	if s.reading != nil && s.reading.store != nil && (wrong != nil || s.reading.config.Keystore == c.Keystore) {
		return s.reading.store, wrong
	}
	if wrong != nil {
		return nil, wrong
	}
	return keystore.Open(keystore.Options{
		Backend: c.Keystore.Backend, Dir: c.Keystore.Dir, PassphraseFile: c.Keystore.PassphraseFile,
		FileDir: s.o.FileDir, Interactive: s.o.Interactive, Notify: s.o.Notify, Process: s.o.Process,
	})
}

// ofProcess is an error about a variable, with whose environment it is in: a daemon keeps the one it was started in.
func (s *Set) ofProcess(err error) error {
	if s.o.Process == "" {
		return err
	}
	e := *api.AsError(err)
	e.Message += ", in the environment of " + s.o.Process
	e.Hint = "tcred daemon stop, and " + e.Hint
	return &e
}

// client is the STS client for a region, and for a key of that site.
func (r *reading) client(region, site string, now func() time.Time) (*sts.Client, error) {
	c := r.config
	key := clientKey{region, cmp.Or(c.Site, site)}
	r.mu.Lock()
	defer r.mu.Unlock()
	if client, ok := r.clients[key]; ok {
		return client, nil
	}
	o := sts.Options{
		Site: key.site, Endpoint: c.Endpoint, Region: region, Proxy: c.Proxy, Roots: c.CAs,
		Language: cmp.Or(c.Language, localeLanguage()), Now: now,
	}
	if c.Endpoint != nil && config.IsLoopback(c.Endpoint.Hostname()) { // never reached through a proxy
		o.Proxy = nil
	}
	client, err := sts.NewClient(o)
	if err != nil {
		return nil, err
	}
	r.clients[key] = client
	return client, nil
}

// localeLanguage is the one of config.Languages that LANG asks for. It is all of the locale that a daemon is given.
func localeLanguage() string {
	if strings.HasPrefix(os.Getenv("LANG"), "zh") {
		return "zh"
	}
	return "en"
}

// Store is the keystore of the present reading.
func (s *Set) Store() (keystore.Store, error) {
	r, _, _, err := s.current()
	if err != nil {
		return nil, err
	}
	return r.store, r.storeErr
}

// Config is the config of the present reading.
func (s *Set) Config() (*config.Config, error) {
	r, _, _, err := s.current()
	if err != nil {
		return nil, err
	}
	return r.config, nil
}

// Keys are the entries of the key index, by name.
func (s *Set) Keys() (map[string]keystore.Entry, error) {
	r, _, _, err := s.current()
	if err != nil {
		return nil, err
	}
	return r.keys, nil
}

// Client is the STS client that a key of that site is used with.
func (s *Set) Client(site string) (*sts.Client, error) {
	r, _, _, err := s.current()
	if err != nil {
		return nil, err
	}
	return r.client(r.config.Region, site, s.o.Now)
}
