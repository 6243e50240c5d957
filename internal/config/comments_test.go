package config

import (
	"path/filepath"
	"slices"
	"testing"
)

// A policy may be written with comments. What is sent, and what the cache goes by, has none.
func TestThePolicyThatIsSentHasNoComments(t *testing.T) {
	const commented = "{ // all\n\"version\":\"2.0\", //\n" +
		`"statement":[{"effect":"deny","action":"*","resource":"*"}]}`
	path := write(t, "config.toml",
		"[profiles.a]\npolicy_file = 'a.json'\n[profiles.b]\npolicy = '''\n"+commented+"'''\n")
	writeTo(t, filepath.Join(filepath.Dir(path), "a.json"), commented)
	cfg, warnings, err := Load(path)
	if err != nil {
		t.Fatal(err)
	}
	for name, profile := range cfg.Profiles {
		if profile.Policy != denyAll {
			t.Errorf("%s has the policy %s", name, profile.Policy)
		}
	}
	var places [][2]int
	for _, w := range warnings {
		places = append(places, [2]int{w.Line, w.Column})
	}
	if want := [][2]int{{1, 3}, {5, 3}}; !slices.Equal(places, want) {
		t.Errorf("warnings %v, want them at %v", warnings, want)
	}
}
