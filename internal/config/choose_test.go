package config

import (
	"strings"
	"testing"

	"github.com/tcred/tcred/api"
)

func TestWhoNamesNoProfileMeansTheOneThatIsSureToBeMeant(t *testing.T) {
	const narrow = "[profiles.default]\npolicy = '{\"version\":\"2.0\",\"statement\":[]}'\n"
	for _, tt := range []struct {
		name, text, keys string
		want, fault      string
		code             api.Code
	}{
		{name: "the only key", keys: "work", want: "work"},
		{name: "the key default", keys: "default work", want: "default"},
		{name: "what the setting says", text: "default_profile = 'dev'\n[profiles.dev]\npolicy = 'full'\n", keys: "default", want: "dev"},
		{name: "a key that the setting says", text: "default_profile = 'b'\n", keys: "a b", want: "b"},
		{name: "one that is declared under that name, for it may grant less than the only key",
			text: "[profiles.default]\nkey = 'work'\npolicy = 'full'\n", keys: "work", want: "default"},
		{name: "a broken one of that name", text: narrow, keys: "work", want: "default"},
		{name: "no key", want: "default", code: api.NoProfile, fault: `no profile "default"; there is no key yet: tcred add`},
		{name: "several keys", keys: "a b", want: "default", code: api.NoProfile,
			fault: `no profile "default"; tcred list, and name one that it shows; or write default_profile = "a" in config.toml`},
		{name: "a name that is none", text: "default_profile = 'wrok'\n", keys: "work", want: "wrok", code: api.NoProfile,
			fault: `no profile "wrok", which default_profile in PATH names; did you mean "work"?; `},
		{name: "no name at all", text: "default_profile = 5\n", keys: "work", code: api.ConfigInvalid,
			fault: "PATH:1:19: default_profile must be a string"},
		{name: "a name that cannot be", text: "default_profile = 'a/b'\n", keys: "work", code: api.ConfigInvalid,
			fault: `PATH:1:20: "a/b" cannot be a profile's name`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			path := write(t, "config.toml", tt.text)
			cfg, _, _ := Load(path) // what is wrong with it is said by Choose
			got, err := cfg.Choose(strings.Fields(tt.keys))
			if got != tt.want || api.CodeOf(err) != tt.code {
				t.Fatalf("%q, %v", got, err)
			}
			fault := strings.ReplaceAll(tt.fault, "PATH", path)
			if err != nil && !strings.HasPrefix(err.Error()+"; "+api.AsError(err).Hint, fault) {
				t.Errorf("%v; %s", err, api.AsError(err).Hint)
			}
		})
	}
}

// Where the file is no TOML any more, a request without a name goes on only if it surely means the profile that it
// meant.
func TestBytesThatDecideWhoIsMeant(t *testing.T) {
	const good = "default_profile = \"a\"\nlanguage = \"en\"\n[profiles.a]\npolicy = \"full\"\n"
	for bad, same := range map[string]bool{
		good + "[profiles.b":                                            true,
		strings.Replace(good, `"en"`, `"en`, 1):                         true,
		strings.Replace(good, `"a"`, `"b`, 1):                           false,
		strings.Replace(good, "default_profile", "#default_profile", 1): false,
		good + "[profiles.default]\npolicy = \"":                        false,
	} {
		if got := partsOf(good).of("") == partsOf(bad).of(""); got != same {
			t.Errorf("%q: the same %v", bad, got)
		}
	}
}
