package config

import (
	"crypto/ed25519"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"math/big"
	"net/url"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/tcred/tcred/api"
	"github.com/tcred/tcred/internal/policy"
)

const denyAll = `{"version":"2.0","statement":[{"effect":"deny","action":"*","resource":"*"}]}`

// write puts text into a new directory.
func write(t testing.TB, name, text string) (path string) {
	t.Helper()
	path = filepath.Join(t.TempDir(), name)
	writeTo(t, path, text)
	return path
}

func writeTo(t testing.TB, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func mustLoad(t *testing.T, path string) *Config {
	t.Helper()
	cfg, warnings, err := Load(path)
	if err != nil {
		t.Fatal(errors.Unwrap(err))
	}
	if len(warnings) != 0 {
		t.Errorf("warnings: %v", warnings)
	}
	return cfg
}

// problems loads the config at path and returns what is wrong with it, its path cut off.
func problems(t *testing.T, path string) []string {
	t.Helper()
	_, found, err := Load(path)
	if err != nil {
		invalid := new(Invalid)
		if !errors.As(err, &invalid) || api.CodeOf(err) != api.ConfigInvalid {
			t.Fatalf("error %v (%s)", err, api.CodeOf(err))
		}
		found = invalid.Problems
	}
	lines := make([]string, len(found))
	for i, p := range found {
		lines[i] = strings.TrimPrefix(p.String(), filepath.Dir(path)+string(filepath.Separator)) + " | " + p.Hint
		if p.Warning {
			lines[i] = "warning " + lines[i]
		}
	}
	return lines
}

func certificate(t *testing.T) string {
	t.Helper()
	public, private, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	c := &x509.Certificate{SerialNumber: big.NewInt(1)}
	der, err := x509.CreateCertificate(nil, c, c, public, private)
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
}

// trusted are the system's certificates and those of file.
func trusted(t *testing.T, file string) *x509.CertPool {
	t.Helper()
	all, err := x509.SystemCertPool()
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(file)
	if err != nil || !all.AppendCertsFromPEM(text) {
		t.Fatal("no certificate", err)
	}
	return all
}

func TestMissingFileIsTheDefaults(t *testing.T) {
	path := filepath.Join(t.TempDir(), "no", "config.toml")
	want := &Config{
		Path: path, Region: "ap-guangzhou", STSRate: 20, Key: "default", Duration: 2 * time.Hour,
		Keystore: Keystore{Backend: "keychain"}, Profiles: map[string]Profile{},
	}
	if cfg := mustLoad(t, path); !reflect.DeepEqual(cfg, want) {
		t.Errorf("got %+v", cfg)
	}
	if cfg := mustLoad(t, write(t, "config.toml", "\ufeff# nothing\r\n")); cfg.Region != want.Region {
		t.Errorf("got %+v", cfg)
	}
}

func TestEverySettingIsTaken(t *testing.T) {
	path := write(t, "config.toml", `
site = "intl"
region = "ap-singapore"
key = "work"
duration = "90m"
endpoint = "http://[::1]:8085/"
proxy = "socks5://u:p@proxy:1080"
ca_file = "ca.pem"
language = "zh"
sts_rate = 5
idle_exit = "1m"
keystore = {backend = "file", passphrase_file = "../pass"}
[profiles."up.load-1"]
policy_file = "p.json"
duration = "36h"
[profiles.1]
policy = "full"
key = "k"
name = "Somebody"
region = "eu-frankfurt"
`)
	dir := filepath.Dir(path)
	writeTo(t, filepath.Join(dir, "ca.pem"), certificate(t))
	writeTo(t, filepath.Join(dir, "p.json"), strings.ReplaceAll(denyAll, ",", ",\n"))
	want := &Config{
		Path: path, Site: "intl", Region: "ap-singapore", Key: "work", Duration: 90 * time.Minute,
		Endpoint: &url.URL{Scheme: "http", Host: "[::1]:8085"},
		Proxy:    &url.URL{Scheme: "socks5", User: url.UserPassword("u", "p"), Host: "proxy:1080"},
		CAs:      trusted(t, filepath.Join(dir, "ca.pem")), CAFile: filepath.Join(dir, "ca.pem"),
		Language: "zh", STSRate: 5, IdleExit: time.Minute,
		Keystore: Keystore{Backend: "file", PassphraseFile: filepath.Join(filepath.Dir(dir), "pass")},
		Profiles: map[string]Profile{
			"up.load-1": {
				Name: "up.load-1", Key: "work", FederatedUser: "upload", Policy: denyAll,
				PolicyFile: filepath.Join(dir, "p.json"), Region: "ap-singapore", Duration: 36 * time.Hour,
			},
			"1": {
				Name: "1", Key: "k", FederatedUser: "Somebody", Policy: policy.Full,
				Region: "eu-frankfurt", Duration: 90 * time.Minute,
			},
		},
	}
	cfg := mustLoad(t, path)
	cfg.written = written{}
	if !cfg.CAs.Equal(want.CAs) {
		t.Error("CAs are not the system's and those of ca_file")
	}
	cfg.CAs = want.CAs
	if !reflect.DeepEqual(cfg, want) {
		t.Errorf("got  %+v\nwant %+v", cfg, want)
	}
	files := []string{path, filepath.Join(dir, "ca.pem"), filepath.Join(dir, "p.json")}
	if got := cfg.Files(); !reflect.DeepEqual(got, files) {
		t.Errorf("files %q", got)
	}
}

func TestAProfileIsDeclaredOrAKey(t *testing.T) {
	cfg := mustLoad(t, write(t, "config.toml",
		"duration = \"1h\"\n[profiles.upload]\nkey = \"work\"\npolicy = '''"+denyAll+"'''"))
	keys := []string{"work", "default", "upload"}
	for name, want := range map[string]Profile{
		"upload":  {"upload", "work", "upload", denyAll, "", "ap-guangzhou", time.Hour},
		"default": {"default", "default", "default", policy.Full, "", "ap-guangzhou", time.Hour},
	} {
		if got, err := cfg.Profile(name, keys); err != nil || got != want {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
	}
	if got := cfg.Names(keys); !reflect.DeepEqual(got, []string{"default", "upload", "work"}) {
		t.Errorf("names %q", got)
	}
	if defaults("").Names(keys); keys[0] != "work" {
		t.Error("Names sorted the caller's keys")
	}
}

func TestAnUnknownProfileIsToldTheNearest(t *testing.T) {
	cfg := mustLoad(t, write(t, "config.toml", "[profiles.upload]\npolicy = 'full'"))
	for _, test := range []struct {
		name string
		keys []string
		code api.Code
		want string
	}{
		{"uplaod", nil, api.NoProfile, `no profile "uplaod"; did you mean "upload"? | `},
		{"Upload", nil, api.NoProfile, `no profile "Upload"; did you mean "upload"? | `},
		{"wrok", []string{"work"}, api.NoProfile, `no profile "wrok"; did you mean "work"? | `},
		{"other", []string{"work"}, api.NoProfile, `no profile "other" | tcred list shows those there are`},
		{"other", nil, api.NoProfile, `no profile "other" | there is no key yet: tcred add`},
		{"a/b", nil, api.BadRequest, `"a/b" cannot be a profile's name | ` + api.NameHint},
		{"a\nb", nil, api.BadRequest, `"a\nb" cannot be a profile's name | ` + api.NameHint},
	} {
		_, err := cfg.Profile(test.name, test.keys)
		e := api.AsError(err)
		if got := e.Message + " | " + e.Hint; e.Code != test.code || got != test.want {
			t.Errorf("%q: %s %s", test.name, e.Code, got)
		}
	}
	_, err := defaults("").Profile("default", nil)
	if e := api.AsError(err); e.Hint != "there is no key yet: tcred add" {
		t.Errorf("without keys: %s | %s", e.Message, e.Hint)
	}
}
