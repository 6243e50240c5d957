// Package config reads config.toml, strictly: whatever is not understood is reported, all of it at once, each with
// its file, line and reason. It also knows where tcred's own directories are.
package config

import (
	"crypto/sha256"
	"crypto/x509"
	"fmt"
	"maps"
	"net/url"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/tcred/tcred/api"
	"github.com/tcred/tcred/internal/human"
	"github.com/tcred/tcred/internal/policy"
)

// Config is config.toml with every default filled in and every path absolute.
type Config struct {
	Path     string // of config.toml, whether it exists or not
	Site     string // "cn", "intl", or "": as it was found for the key
	Region   string
	Key      string // of profiles that name none
	Default  string // the profile of requests that name none; "": as Choose finds it
	Duration time.Duration
	STSRate  int            // calls a second that a daemon makes at most, 1 to 600
	Endpoint *url.URL       // a scheme and a host; nil is the site's own
	Proxy    *url.URL       // it may hold a password; nil is none
	CAs      *x509.CertPool // the system's and those of ca_file; nil without a ca_file
	CAFile   string         // where CAs were read; "" is none
	Language string         // "en", "zh", or "": by LANG
	IdleExit time.Duration
	Keystore Keystore
	Profiles map[string]Profile // the declared ones

	written written
}

// written is what a Config was read from.
type written struct {
	root     table
	raw      string // the bytes of config.toml
	problems []Problem
	refusals map[string]Problem           // the first that is no warning, by what it concerns
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
// [api.Error] that wraps an [Invalid] with what was found, warnings too. There are at most 100 problems. With an error
// there is a Config all the same if the file could be read and is TOML: its Profile refuses those that the problems
// concern, and them alone.
func Load(path string) (*Config, []Problem, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return nil, nil, fmt.Errorf("finding the config file: %w", err)
	}
	d := newDocument(path)
	cfg := defaults(path)
	if d.read() {
		d.config(cfg)
	}
	err = d.err()
	if d.raw != nil {
		cfg.written = written{d.root, string(d.raw), d.problems, d.refusals, d.sums}
	}
	switch {
	case !d.parsed:
		return nil, nil, err
	case err != nil:
		return cfg, nil, err
	}
	return cfg, d.problems, nil
}

// Profile finds a declared profile, or the key of that name with its own rights. keys are the keys that exist. A
// profile that is wrong in config.toml, or draws on what is wrong there, is refused with the first of its problems.
func (c *Config) Profile(name string, keys []string) (Profile, error) {
	p, declared := c.Profiles[name]
	switch {
	case declared, slices.Contains(keys, name):
	case !api.ValidName(name):
		return Profile{}, &api.Error{
			Code: api.BadRequest, Message: fmt.Sprintf("%q cannot be a profile's name", name), Hint: api.NameHint,
		}
	default:
		return Profile{}, c.noProfile(name, keys)
	}
	if err := c.refusal(func(concerns string) bool { return c.drawsOn(name, concerns) }); err != nil {
		return Profile{}, err
	}
	if declared {
		return p, nil
	}
	return Profile{
		Name: name, Key: name, FederatedUser: federatedUser(name),
		Policy: policy.Full, Region: c.Region, Duration: c.Duration,
	}, nil
}

// refusal is the first problem, by its place, with anything that matters; nil if nothing of that is wrong.
func (c *Config) refusal(matters func(concerns string) bool) error {
	var some []Problem
	for concerns, p := range c.written.refusals {
		if matters(concerns) {
			some = append(some, p)
		}
	}
	if len(some) == 0 {
		return nil
	}
	sortProblems(some)
	return c.written.root.doc.errorOf(some)
}

// drawsOn reports whether a profile depends on a setting at the top, on a table or on a file. What nobody knows may be
// a misspelling of something that each one depends on.
func (c *Config) drawsOn(name, concerns string) bool {
	if table, ofProfile := strings.CutPrefix(concerns, "profiles."); ofProfile {
		return table == name || strings.HasPrefix(table, name+".")
	}
	if filepath.IsAbs(concerns) {
		return c.Profiles[name].PolicyFile == concerns
	}
	profiles, _ := c.written.root.inner("profiles")
	own, declared := profiles.inner(name)
	switch concerns {
	case "default_profile": // of requests that name none, and theirs alone
		return false
	case "region", "duration":
		return !own.has(concerns)
	case "key":
		return declared && !own.has(concerns)
	}
	return !slices.Contains(harmless, concerns)
}

// AddFirst is the hint where there is no key at all.
const AddFirst = "there is no key yet: tcred add"

func (c *Config) noProfile(name string, keys []string) error {
	near := human.DidYouMean(name, c.Names(keys))
	e := &api.Error{Code: api.NoProfile, Message: fmt.Sprintf("no profile %q%s", name, near)}
	switch {
	case near != "":
	case len(keys) == 0:
		e.Hint = AddFirst
	default:
		e.Hint = "tcred list shows those there are"
	}
	if fault := c.refusal(func(string) bool { return true }); fault != nil { // it may well be why there is none
		f := api.AsError(fault)
		e.Message, e.Hint = e.Message+"; "+f.Message, f.Hint
	}
	return e
}

// Choose is the profile of a request that names none: default_profile, else one that is called so, else that of the
// only key. The error is NoProfile where that is none. keys are the keys that exist.
func (c *Config) Choose(keys []string) (string, error) {
	if err := c.refusal(func(concerns string) bool { return concerns == "default_profile" }); err != nil {
		return "", err
	}
	_, declared := c.Profiles[api.DefaultProfile]
	switch {
	case c.Default != "":
		return c.Default, c.checkDefault(keys)
	case declared || slices.Contains(keys, api.DefaultProfile):
		return api.DefaultProfile, nil
	case len(keys) == 1:
		return keys[0], nil
	}
	e := api.AsError(c.noProfile(api.DefaultProfile, keys))
	if len(keys) > 1 {
		e.Hint = fmt.Sprintf("tcred list, and name one that it shows; or write default_profile = %q in config.toml", keys[0])
	}
	return api.DefaultProfile, e
}

// checkDefault is the error for a default_profile that names none.
func (c *Config) checkDefault(keys []string) error {
	if slices.Contains(c.Names(keys), c.Default) {
		return nil
	}
	e := api.AsError(c.noProfile(c.Default, keys))
	e.Message = human.NamedBy(e.Message, c.Default, "default_profile in "+c.Path)
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
	return t.doc.lines.Position(offset)
}

// Same reports whether c was read from the same bytes as other, in every file, and has the same mistakes.
func (c *Config) Same(other *Config) bool {
	return c.Path == other.Path && c.written.raw == other.written.raw && maps.Equal(c.written.sums, other.written.sums) &&
		maps.Equal(c.written.refusals, other.written.refusals)
}

// Files lists the files c was read from: config.toml, which may be missing, ca_file and the policy files, broken ones
// too. A change to one of them is a reason to load again.
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

// federatedUser is a profile's name at STS, unless it sets another: its letters, which are what STS's page allows.
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
