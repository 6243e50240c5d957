//go:build unix

package socket

import (
	"path"
	"testing"
)

func TestASocketBesideFitsWhereTheFirstDoes(t *testing.T) {
	const first = "/run/user/1000/tcred/tcred.sock"
	seen := map[string]bool{first: true}
	for _, config := range []string{"", "/a/config.toml", "/b/config.toml", "/home/ada/.config/tcred/config.toml"} {
		got := Beside(first, config)
		if seen[got] || len(got) > len(first) || path.Dir(got) != path.Dir(first) || got != Beside(first, config) {
			t.Errorf("%q: %q", config, got)
		}
		seen[got] = true
	}
}
