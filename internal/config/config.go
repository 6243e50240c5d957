// Package config reads config.toml, strictly: whatever is not understood is reported, all of it at once, each with
// its file, line and reason. It also knows where tcred's own directories are.
package config

import (
	"crypto/sha256"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/tcred/tcred/api"
	"github.com/tcred/tcred/internal/policy"
)

// Config is config.toml with every default filled in and every path absolute.
type Config struct {
	Path     string // of config.toml, whether it exists or not
	Site     string // "cn", "intl", or "": as it was found for the key
	Region   string
	Key      string // of profiles that name none
	Duration time.Duration
	STSRate  int    // calls a second that a daemon makes at most, 1 to 600
	Endpoint string // a URL without a path; "" is the site's own
	Proxy    string // a URL, which may hold a password; "" is none
	CAFile   string
	Language string // "en", "zh", or "": by LANG
	IdleExit time.Duration
	Keystore Keystore
	Profiles map[string]Profile // the declared ones

	written written
}

// written is what a Config was read from.
type written struct {
	root     table
	parts    parts
	problems []Problem
	sums     map[string][sha256.Size]byte // of ca_file and policy files, by path
}

// Keystore is the table of that name.
type Keystore struct {
	Backend        string // one of Backends
	PassphraseFile string // of backend "file"; may be ""
	Dir            string // of backend "dir"; "" is $CREDENTIALS_DIRECTORY
}

// Profile is what a tool asks for.
type Profile struct {
	Name          string
	Key           string
	FederatedUser string // the Name of GetFederationToken
	Policy        string // compact JSON
	PolicyFile    string // where Policy was read; "" if it stands in config.toml or belongs to a key
	Region        string
	Duration      time.Duration // 5m to 36h, whole seconds; a root account's key gets at most 2h
}

// Load reads the config at path. A missing file is the defaults. The problems it returns are warnings; the error is an
// [api.Error] that wraps an [Invalid] with everything found, warnings too. With an error there is a Config all the same if
// the file could be read and is TOML: its Profile refuses those that the problems concern, and them alone.
func Load(path string) (*Config, []Problem, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return nil, nil, fmt.Errorf("finding the config file: %w", err)
	}
	d := &document{file: path, files: []string{path}, sums: make(map[string][sha256.Size]byte)}
	cfg := defaults(path)
	if d.read() {
		d.config(cfg)
	}
	err = d.err()
	if d.raw != nil {
		cfg.written = written{d.root, partsOf(string(d.raw)), d.problems, d.sums}
	}
	switch {
	case !d.parsed:
		return nil, nil, err
	case err != nil:
		return cfg, nil, err
	}
	return cfg, d.shown(), nil
}

// Profile finds a declared profile, or the key of that name with its own rights. keys are the keys that exist. A profile
// that is wrong in config.toml, or draws on what is wrong there, is refused with the first of its problems.
func (c *Config) Profile(name string, keys []string) (Profile, error) {
	p, declared := c.Profiles[name]
	if !declared && !slices.Contains(keys, name) {
		if !api.ValidName(name) {
			return Profile{}, &api.Error{Code: api.BadRequest, Message: fmt.Sprintf("%q cannot be a profile's name", name), Hint: api.NameHint}
		}
		return Profile{}, c.noProfile(name, keys)
	}
	if err := c.refusal(name); err != nil {
		return Profile{}, err
	}
	if !declared {
		return Profile{
			Name: name, Key: name, FederatedUser: federatedUser(name),
			Policy: policy.Full, Region: c.Region, Duration: c.Duration,
		}, nil
	}
	return p, nil
}

// AddFirst is the hint where there is no key at all.
const AddFirst = "there is no key yet: tcred add"

func (c *Config) noProfile(name string, keys []string) error {
	near := DidYouMean(name, c.Names(keys))
	e := &api.Error{Code: api.NoProfile, Message: fmt.Sprintf("no profile %q%s", name, near)}
	switch {
	case near != "":
	case len(keys) == 0:
		e.Hint = AddFirst
	default:
		e.Hint = "tcred list shows those there are"
	}
	if fault := c.problemWith(func(string) bool { return true }); fault != nil { // it may well be why there is none
		f := api.AsError(fault)
		e.Message, e.Hint = e.Message+"; "+f.Message, f.Hint
	}
	return e
}

// Names lists every profile, declared or a key's own, sorted.
func (c *Config) Names(keys []string) []string {
	names := slices.AppendSeq(slices.Clone(keys), maps.Keys(c.Profiles))
	slices.Sort(names)
	return slices.Compact(names)
}

// Place is where a setting stands in config.toml, by its name behind those of its tables; 0, 0 if it does not.
func (c *Config) Place(name ...string) (line, column int) {
	t, last := c.written.root, len(name)-1
	for _, table := range name[:last] {
		t, _ = t.inner(table)
	}
	if !t.has(name[last]) {
		return 0, 0
	}
	offset, _ := t.at(name[last])
	return t.doc.position(offset)
}

// refusal is why a profile must not be used, nil if nothing is wrong with it or with what it draws on.
func (c *Config) refusal(name string) error {
	return c.problemWith(func(concerns string) bool { return c.drawsOn(name, concerns) })
}

// problemWith is the problems, warnings left out, of what matters, as one error; nil if there are none.
func (c *Config) problemWith(matters func(concerns string) bool) error {
	var some []Problem
	for _, p := range c.written.problems {
		if !p.Warning && matters(p.concerns) {
			some = append(some, p)
		}
	}
	if len(some) == 0 {
		return nil
	}
	return c.written.root.doc.errorOf(some)
}

// drawsOn reports whether a profile depends on a setting at the top, or on a table. What nobody knows may be a
// misspelling of something that each one depends on.
func (c *Config) drawsOn(name, concerns string) bool {
	if table, ofProfile := strings.CutPrefix(concerns, "profiles."); ofProfile {
		return table == name || strings.HasPrefix(table, name+".")
	}
	profiles, _ := c.written.root.inner("profiles")
	own, declared := profiles.inner(name)
	switch concerns {
	case "region", "duration":
		return !own.has(concerns)
	case "key":
		return declared && !own.has(concerns)
	case "profiles":
		return true
	}
	return !slices.Contains(harmless, concerns)
}

// Files lists the files c was read from: config.toml, which may be missing, ca_file and the policy files, those that are
// wrong too. A change to one of them is a reason to load again.
func (c *Config) Files() []string {
	files := []string{c.Path}
	if c.CAFile != "" {
		files = append(files, c.CAFile)
	}
	for _, p := range c.Profiles {
		if p.PolicyFile != "" {
			files = append(files, p.PolicyFile)
		}
	}
	slices.Sort(files[1:])
	return slices.Compact(files)
}

// federatedUser is the name a profile goes by at STS unless it says another: its letters, which is what STS's page allows.
func federatedUser(profile string) string {
	letters := strings.Map(func(r rune) rune {
		if isLetter(r) {
			return r
		}
		return -1
	}, profile)
	if letters == "" {
		return DefaultFederatedUser
	}
	return letters
}

func isLetter(r rune) bool { return 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' }
