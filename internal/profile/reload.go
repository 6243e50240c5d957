package profile

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/tcred/tcred/internal/config"
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

// current is the reading to serve from, and its revision.
func (s *Set) current() (*reading, uint64, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.lookIfDue()
	if s.reading == nil {
		return nil, 0, s.problem
	}
	return s.reading, s.revision, nil
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

// look takes up what changed on disk, if it is valid. What is wrong is read anew each time: its cure may be in a
// directory, which has no fingerprint here.
func (s *Set) look() {
	s.looked = time.Now()
	before := fingerprint(s.watched)
	if s.seen != nil && s.problem == nil && maps.Equal(before, s.seen) {
		return
	}
	r, err := s.read()
	s.watched = s.filesOf(r, err)
	s.seen = fingerprint(s.watched)
	for file, print := range before {
		if _, ok := s.seen[file]; ok {
			s.seen[file] = print // a change while it was read is one that is still to come
		}
	}
	if err != nil {
		if s.problem == nil || s.problem.Error() != err.Error() {
			s.o.Log.Error("config not taken up", "err", err)
		}
		s.problem = err
		return
	}
	s.reading, s.problem = r, nil
	s.revision++
	s.o.Log.Info("config read", "path", s.o.ConfigPath, "profiles", len(r.config.Profiles), "keys", len(r.keys))
}

// filesOf lists what a reading came from, or failed on.
func (s *Set) filesOf(r *reading, err error) []string {
	files := []string{s.o.ConfigPath, s.o.Index.Path}
	var invalid *config.Invalid
	switch {
	case errors.As(err, &invalid):
		files = append(files, invalid.Files...)
	case err == nil:
		files = append(files, r.config.Files()...)
	}
	return files
}

// read loads everything anew. The keystore stays the one it was, opened or not, unless config names another.
func (s *Set) read() (*reading, error) {
	c, _, err := config.Load(s.o.ConfigPath)
	if err != nil {
		return nil, err
	}
	entries, err := s.o.Index.Load()
	if err != nil {
		return nil, err
	}
	r := &reading{config: c, keys: make(map[string]keystore.Entry, len(entries)), clients: make(map[clientKey]*sts.Client)}
	for _, e := range entries {
		r.keys[e.Name] = e
	}
	if s.reading != nil && s.reading.config.Keystore == c.Keystore {
		r.store = s.reading.store
		return r, nil
	}
	r.store, err = keystore.Open(keystore.Options{
		Backend: c.Keystore.Backend, Dir: c.Keystore.Dir, PassphraseFile: c.Keystore.PassphraseFile,
		FileDir: s.o.FileDir, Interactive: s.o.Interactive, Notify: s.o.Notify,
	})
	return r, err
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
	client, err := sts.NewClient(sts.Options{
		Site: key.site, Endpoint: urlText(c.Endpoint), Region: region, Proxy: urlText(c.Proxy), CAFile: c.CAFile,
		Language: cmp.Or(c.Language, localeLanguage()), Now: now,
	})
	if err != nil {
		return nil, err
	}
	r.clients[key] = client
	return client, nil
}

func urlText(u *url.URL) string {
	if u == nil {
		return ""
	}
	return u.String()
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
	r, _, err := s.current()
	if err != nil {
		return nil, err
	}
	return r.store, nil
}

// Config is the config of the present reading.
func (s *Set) Config() (*config.Config, error) {
	r, _, err := s.current()
	if err != nil {
		return nil, err
	}
	return r.config, nil
}

// Keys are the entries of the key index, by name.
func (s *Set) Keys() (map[string]keystore.Entry, error) {
	r, _, err := s.current()
	if err != nil {
		return nil, err
	}
	return r.keys, nil
}

// Client is the STS client that a key of that site is used with.
func (s *Set) Client(site string) (*sts.Client, error) {
	r, _, err := s.current()
	if err != nil {
		return nil, err
	}
	return r.client(r.config.Region, site, s.o.Now)
}
