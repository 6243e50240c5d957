// Package profile joins config.toml, the key index, the keystore and STS into the profiles that a broker serves.
package profile

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/tcred/tcred/api"
	"github.com/tcred/tcred/credential"
	"github.com/tcred/tcred/internal/broker"
	"github.com/tcred/tcred/internal/config"
	"github.com/tcred/tcred/internal/human"
	"github.com/tcred/tcred/internal/source"
	"github.com/tcred/tcred/internal/sts"
	"github.com/tcred/tcred/keystore"
)

// Options say where things are, and who is asking.
type Options struct {
	ConfigPath  string
	Index       keystore.Index
	FileDir     string           // of the file keystore
	Interactive bool             // a person at a terminal: the keystore may ask them
	Process     string           // what messages call the process whose environment holds a key; "" is "this process"
	Notify      func(string)     // tells them, or the log, what is going on; may be nil
	Now         func() time.Time // nil is time.Now
	Log         *slog.Logger     // nil discards
}

// Set is the profiles as config and key index say. It looks at both at most once a second and takes up a change by
// itself. It never serves more rights than the files on disk state: a profile that a mistake in them concerns is
// refused until it is mended, and so is each one whose part of a file that is no TOML is not what was last read. It is
// safe for concurrent use.
type Set struct {
	o Options

	mu       sync.Mutex
	looked   time.Time // monotonic
	watched  []string  // files that the last reading came from
	seen     fingerprints
	reading  *reading  // the last one, nil before there is any
	held     held      // why the reading is not of what is on disk now
	missing  time.Time // since when config.toml is gone or empty, in spite of the reading; zero while it is not
	problem  error     // with what is on disk now
	revision uint64
}

// held is a reading that goes on although config.toml cannot be read, for profiles of which that is safe. The zero held
// is none.
type held struct {
	problem error             // why
	same    func(string) bool // whether a profile's part of the files is what it was
}

// reading is one consistent view of config, index and keystore.
type reading struct {
	config *config.Config
	keys   map[string]keystore.Entry
	empty  bool // config.toml was missing or empty

	store    keystore.Store
	storeErr error // why the store must not be used: its settings are wrong

	mu      sync.Mutex
	clients map[clientKey]*sts.Client // made when they are first asked for; each read ca_file then
}

// sameAs reports whether r says nothing else than other.
func (r *reading) sameAs(other *reading) bool {
	return r.empty == other.empty && r.store == other.store && errorText(r.storeErr) == errorText(other.storeErr) &&
		maps.Equal(r.keys, other.keys) && r.config.Same(other.config)
}

func errorText(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

// clientKey is what the clients of one reading differ in.
type clientKey struct{ region, site string }

// Open returns the Set over o. It reads nothing yet.
func Open(o Options) *Set {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	return &Set{o: o}
}

// Lookup finds the profile of that name: a declared one, else a key of that name with its own full rights.
func (s *Set) Lookup(ctx context.Context, name string) (broker.Profile, error) {
	r, revision, held, err := s.current()
	if err != nil {
		return broker.Profile{}, err
	}
	if r.storeErr != nil {
		return broker.Profile{}, r.storeErr
	}
	names, err := r.keyNames(ctx)
	if err != nil {
		return broker.Profile{}, err
	}
	p, err := r.config.Profile(name, names)
	if err != nil {
		return broker.Profile{}, err
	}
	if held.problem != nil && !held.same(name) {
		return broker.Profile{}, held.problem
	}
	entry, err := r.entry(ctx, p.Key, names)
	if err != nil {
		return broker.Profile{}, err
	}
	if err := checkDuration(p, entry); err != nil {
		return broker.Profile{}, err
	}
	client, err := r.client(p.Region, entry.Site, s.o.Now)
	if err != nil {
		return broker.Profile{}, err
	}
	return broker.Profile{
		Name: p.Name, Key: p.Key, Lifetime: p.Duration - credential.Margin, Revision: revision,
		Source: &source.Federation{
			Client: client, Keys: r.store, Key: entry, Profile: p.Name, Name: p.FederatedUser,
			Policy: p.Policy, Duration: p.Duration,
		},
	}, nil
}

// Choose is the profile that a request means which names none. An error says that there is no such profile, and then
// the name is the one that was looked for, or that it cannot be told, and then it is "".
func (s *Set) Choose(ctx context.Context) (string, error) {
	r, _, held, err := s.current()
	if err != nil {
		return "", err
	}
	if held.problem != nil && !held.same("") {
		return "", held.problem
	}
	names, err := r.keyNames(ctx)
	if err != nil {
		return "", err
	}
	name, err := r.config.Choose(names)
	if err != nil && r.storeErr != nil { // a key that would do may be in the keystore
		return "", r.storeErr
	}
	return name, err
}

// Names lists every profile, keys included, sorted.
func (s *Set) Names(ctx context.Context) []string {
	r, _, _, err := s.current()
	if err != nil {
		return nil
	}
	names, _ := r.keyNames(ctx) // no key, no profile
	return r.config.Names(names)
}

// entry is what is known of a key. One that a read-only keystore brought along was never added: its id is read.
func (r *reading) entry(ctx context.Context, key string, names []string) (keystore.Entry, error) {
	if e, ok := r.keys[key]; ok {
		return e, nil
	}
	if r.storeErr != nil {
		return keystore.Entry{}, r.storeErr
	}
	if !r.store.ReadOnly() {
		return keystore.Entry{}, &api.Error{
			Code:    api.NoKey,
			Message: fmt.Sprintf("no key %q%s", key, human.DidYouMean(key, names)),
			Hint:    noKeyHint(key, names),
		}
	}
	k, err := r.store.Get(ctx, key)
	if err != nil {
		return keystore.Entry{}, err
	}
	return keystore.Entry{Name: key, SecretID: k.ID}, nil
}

// noKeyHint is what to do about a key that a profile draws on and that there is not. One that config.toml names by
// default need not be added where there is another: the profile can say so.
func noKeyHint(key string, names []string) string {
	if key != config.DefaultKey || len(names) == 0 {
		return "tcred add " + key
	}
	return fmt.Sprintf("tcred add %s, or write key = %q at the top of config.toml", key, names[0])
}

// keyNames are the names of the index, and of what a read-only keystore holds, sorted.
func (r *reading) keyNames(ctx context.Context) ([]string, error) {
	names := slices.Sorted(maps.Keys(r.keys))
	if r.storeErr != nil || !r.store.ReadOnly() {
		return names, nil
	}
	more, err := r.store.List(ctx)
	names = append(names, more...)
	slices.Sort(names)
	return slices.Compact(names), err
}

// checkDuration refuses what STS would refuse, before it is asked.
func checkDuration(p config.Profile, e keystore.Entry) error {
	if e.Type != keystore.IdentityRoot || p.Duration <= config.MaxRootDuration {
		return nil
	}
	return &api.Error{
		Code:    api.ConfigInvalid,
		Message: fmt.Sprintf("profile %q asks for %s; key %q is a root account's: at most %s", p.Name, human.Span(p.Duration), p.Key, human.Span(config.MaxRootDuration)),
		Hint:    fmt.Sprintf("duration = %q, or better a sub-account's key: tcred add work", human.Span(config.MaxRootDuration)),
	}
}
