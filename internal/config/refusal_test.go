package config

import (
	"strings"
	"testing"

	"github.com/tcred/tcred/api"
)

// Of a file with a mistake, who draws on the mistake is refused, with its place, and nobody else.
func TestAMistakeRefusesWhoDrawsOnItAndNobodyElse(t *testing.T) {
	const two = "[profiles.a]\npolicy = 'full'\nduration = '1h'\n[profiles.b]\npolicy = 'full'\nregion = 'ap-beijing'\nkey = 'other'\n"
	keys := []string{"work"}
	for _, tt := range []struct {
		name, text, refused string // of a, b and the key work
	}{
		{"nothing", two, ""},
		{"an unknown setting of one", strings.Replace(two, "duration", "duratoin", 1), "a"},
		{"a policy misspelled", strings.Replace(two, "policy", "polcy", 1), "a"},
		{"a policy that is none", strings.Replace(two, "'full'", "'{\"version\":\"2.0\",}'", 1), "a"},
		{"a policy file that is missing", strings.Replace(two, "policy = 'full'\nregion", "policy_file = 'no.json'\nregion", 1), "b"},
		{"a table below one", two + "[profiles.b.vars]\nx = 1\n", "b"},
		{"no table", "profiles.a = 1\n[profiles.b]\npolicy = 'full'\n", "a"},
		{"duration at the top", "duration = 7200\n" + two, "b work"},
		{"region at the top", "region = 'Beijing'\n" + two, "a work"},
		{"key at the top", "key = 'ä'\n" + two, "a"},
		{"endpoint", "endpoint = 'http://sts.example.com'\n" + two, "a b work"},
		{"ca_file", "ca_file = 'no.pem'\n" + two, "a b work"},
		{"the keystore", "keystore.backend = 'vault'\n" + two, "a b work"},
		{"nobody's setting, which may be a misspelled one", "duratoin = '30m'\n" + two, "a b work"},
		{"who is meant by nobody's name", "default_profile = 5\n" + two, ""},
		{"what says nothing of rights", "language = 'fr'\nsts_rate = 0\nidle_exit = '1s'\n" + two, ""},
		{"an empty name", two + "[profiles.\"\"]\npolicy = 'full'\n", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			path := write(t, "config.toml", tt.text)
			cfg, _, err := Load(path)
			if cfg == nil {
				t.Fatal(err)
			}
			var refused []string
			for _, name := range []string{"a", "b", "work"} {
				_, err := cfg.Profile(name, keys)
				if err == nil {
					continue
				}
				refused = append(refused, name)
				if api.CodeOf(err) != api.ConfigInvalid || !strings.HasPrefix(err.Error(), path+":") {
					t.Errorf("%s: %v", name, err)
				}
			}
			if got := strings.Join(refused, " "); got != tt.refused {
				t.Errorf("refused are %q, want %q; %v", got, tt.refused, err)
			}
		})
	}
}

// Of a file that is no TOML, the bytes tell whom a change may concern.
func TestBytesThatConcernAProfile(t *testing.T) {
	const good = "region = \"ap-guangzhou\"\nsts_rate = 20\n# about it\n\n[keystore]\nbackend = \"file\"\n\n" +
		"[profiles.a]\npolicy = '''\n{\"statement\": [\n[\"x\"]\n]}\n'''\n\n[profiles.\"a\".vars]\nx = \"y\"\n\n[ profiles . b ] # all\npolicy = \"full\"\n"
	for _, tt := range []struct {
		name, old, new string
		same           string // of a and b, whose bytes stayed
	}{
		{"nothing", "", "", "a b"},
		{"a setting of one", `policy = "full"`, `policy = "full`, "a"},
		{"within the other's string", `["x"]`, `["y"]`, "b"},
		{"below the other", `x = "y"`, `x = `, "b"},
		{"the end of the string", "]}\n'''\n", "]}\n", ""},
		{"a setting at the top that both draw on", `region = "ap-guangzhou"`, `region = "ap-beijing`, ""},
		{"one that says nothing of rights", `sts_rate = 20`, `sts_rate = `, "a b"},
		{"who is meant by nobody's name", `sts_rate = 20`, "sts_rate = 20\ndefault_profile = \"b", "a b"},
		{"a comment at the top", "# about it", "# about", "a b"},
		{"a comment within one", `policy = "full"`, "policy = \"full\" # all\n[[", "a"},
		{"a misspelled setting", `region =`, `regoin =`, ""},
		{"the keystore", `"file"`, `"file`, ""},
		{"another table", "[keystore]", "[nonsense\n[keystore]", ""},
		{"one profile twice", "[ profiles . b ]", "[profiles.b]\npolicy = \"full\"\n[profiles.b]", "a"},
		{"a new profile", "[keystore]", "[profiles.c\npolicy = \"\n[keystore]", ""},
		{"a new profile at the end", "policy = \"full\"\n", "policy = \"full\"\n[profiles.c]\npolicy = \"\n", "a b"},
	} {
		before, after := partsOf(good), partsOf(strings.Replace(good, tt.old, tt.new, 1))
		var same []string
		for _, name := range []string{"a", "b"} {
			if before.of(name) == after.of(name) {
				same = append(same, name)
			}
		}
		if got := strings.Join(same, " "); got != tt.same {
			t.Errorf("%s: the same for %q, want %q", tt.name, got, tt.same)
		}
	}
}
