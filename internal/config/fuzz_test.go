package config

import (
	"errors"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tcred/tcred/api"
	"github.com/tcred/tcred/internal/policy"
)

// A config that loads is complete: nothing behind it has to check it again. One that does not says so in lines.
func FuzzLoad(f *testing.F) {
	for _, seed := range []string{
		"", "region = 'ap-beijing'\n[profiles.a]\npolicy = 'full'\nduration = '12h'\n",
		"Region = 1\nx.y.z = [{a=1}]\n[[profiles]]\n",
		"[profiles.\"a.b\"]\npolicy = '''\n" + denyAll + "'''\n[profiles.1]\npolicy_file = 'p.json'\nname='a-b'\n",
		"profiles = {a = {policy = \"{\\\"a\\\": 1}\"}}\nduration = 7200\nendpoint = 'http://a'\n" +
			"proxy = ':'\n[keystore]\ndir = '~'\n",
		"[profiles.a]\r\npolicy = '''\r\n{\"a\":\r\n1}'''\r\n", "\x0e",
		"\ufeffa = \"\\u0000\"\n\"\\n\" = 1\n[profiles.\"\\n\"]\n", string(Template("cn", "dir")),
	} {
		f.Add(seed)
	}
	dir := f.TempDir()
	writeTo(f, filepath.Join(dir, "p.json"), denyAll)
	f.Fuzz(func(t *testing.T, text string) {
		path := filepath.Join(dir, "config.toml")
		writeTo(t, path, text)
		cfg, found, err := Load(path)
		if err != nil {
			invalid := new(Invalid)
			if !errors.As(err, &invalid) || strings.ContainsAny(err.Error(), "\x00\r\n") {
				t.Fatalf("%q", err)
			}
			found = invalid.Problems
		}
		for _, p := range found {
			lines := strings.Count(text, "\n") + 1
			if p.Message == "" || strings.ContainsAny(p.String()+p.Hint, "\x00\r\n") || p.Line < 1 || p.Line > lines ||
				p.Column < 1 {
				t.Errorf("%q of %d lines", p, lines)
			}
		}
		if cfg != nil {
			complete(t, cfg, err != nil)
		}
	})
}

// complete checks every profile that is not refused. Only in a config with a problem is one refused.
func complete(t *testing.T, cfg *Config, problem bool) {
	names := cfg.Names(nil)
	if cfg.Region == "" || !api.ValidName(cfg.Key) || !slices.Contains(Backends, cfg.Keystore.Backend) ||
		len(names) != len(cfg.Profiles) {
		t.Errorf("incomplete: %+v", cfg)
	}
	for _, name := range names {
		p, err := cfg.Profile(name, nil)
		if err != nil && problem && api.CodeOf(err) == api.ConfigInvalid {
			continue
		}
		whole := p.Duration%time.Second == 0 && p.Duration >= MinDuration && p.Duration <= MaxDuration
		if err != nil || p.Name != name || !api.ValidName(name) || !api.ValidName(p.Key) || p.Region == "" ||
			p.FederatedUser == "" || !whole {
			t.Errorf("incomplete: %+v, %v", p, err)
		}
		for _, finding := range policy.Check([]byte(p.Policy)) {
			if !finding.Warning {
				t.Errorf("profile %s: %+v in %s", name, finding, p.Policy)
			}
		}
	}
}
