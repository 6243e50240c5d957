// Package config reads config.toml, strictly: whatever is not understood is reported, all of it at once, each with
// its file, line and reason. It also knows where tcred's own directories are.
package config

import (
	"crypto/x509"
	"fmt"
	"maps"
	"net/url"
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
	STSRate  int            // calls a second that a daemon makes at most, 1 to 600
	Endpoint *url.URL       // a scheme and a host; nil is the site's own
	Proxy    *url.URL       // it may hold a password; nil is none
	CAs      *x509.CertPool // the system's and those of ca_file; nil without a ca_file
	CAFile   string         // where CAs were read; "" is none
	Language string         // "en", "zh", or "": by LANG
	IdleExit time.Duration
	Keystore Keystore
	Profiles map[string]Profile // the declared ones

	root table // as written
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
	Duration      time.Duration // 30m to 36h, whole seconds; a root account's key gets at most 2h
}

// Load reads the config at path. A missing file is the defaults. The problems it returns are warnings; the error is an
// [api.Error] that wraps an [Invalid] with what was found, warnings too. There are at most 100 problems.
func Load(path string) (*Config, []Problem, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return nil, nil, fmt.Errorf("finding the config file: %w", err)
	}
	d := &document{file: path, files: []string{path}, policies: make(map[string]policyFile)}
	cfg := defaults(path)
	if d.read() {
		d.config(cfg)
		cfg.root = d.root
	}
	if err := d.err(); err != nil {
		return nil, nil, err
	}
	return cfg, d.problems, nil
}

// Profile finds a declared profile, or the key of that name with its own rights. keys are the keys that exist.
func (c *Config) Profile(name string, keys []string) (Profile, error) {
	if p, ok := c.Profiles[name]; ok {
		return p, nil
	}
	if slices.Contains(keys, name) {
		return Profile{
			Name: name, Key: name, FederatedUser: federatedUser(name),
			Policy: policy.Full, Region: c.Region, Duration: c.Duration,
		}, nil
	}
	if !api.ValidName(name) {
		return Profile{}, &api.Error{
			Code: api.BadRequest, Message: fmt.Sprintf("%q cannot be a profile's name", name), Hint: api.NameHint,
		}
	}
	return Profile{}, c.noProfile(name, keys)
}

func (c *Config) noProfile(name string, keys []string) error {
	near := DidYouMean(name, c.Names(keys))
	e := &api.Error{Code: api.NoProfile, Message: fmt.Sprintf("no profile %q%s", name, near)}
	switch {
	case near != "":
	case len(keys) == 0:
		e.Hint = "there is no key yet: tcred add"
	default:
		e.Hint = "tcred list shows those there are"
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
	t, last := c.root, len(name)-1
	for _, table := range name[:last] {
		t, _ = t.inner(table)
	}
	if !t.has(name[last]) {
		return 0, 0
	}
	offset, _ := t.at(name[last])
	return t.doc.lines.Position(offset)
}

// Files lists the files c was read from: config.toml, which may be missing, ca_file and the policy files.
// A change to one of them is a reason to load again.
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
