package disk

import (
	"os"
	"path/filepath"
	"testing"
)

func TestOneFileHasManyNames(t *testing.T) {
	dir := t.TempDir()
	at := func(name string) string { return filepath.Join(dir, name) }
	for _, err := range []error{
		os.MkdirAll(at("home/.config"), 0o700), os.MkdirAll(at("other/.config"), 0o700),
		os.WriteFile(at("home/.config/a"), nil, 0o600), os.WriteFile(at("other/.config/a"), nil, 0o600),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	for link, target := range map[string]string{"link": "home", "home/.config/b": "a", "home/.config/dangling": "gone"} {
		if err := os.Symlink(target, at(link)); err != nil {
			t.Skip("no links here: ", err)
		}
	}
	for _, tt := range []struct {
		a, b string
		want bool
	}{
		{at("home/.config/a"), at("link/.config/a"), true},
		{at("home/.config/b"), at("link/.config/a"), true},
		{at("home/.config/a"), at("other/.config/a"), false},
		{at("home/.config/none"), at("link/.config/none"), true},
		{at("home/not/yet"), at("link/not/yet"), true},
		{at("home/.config/none"), at("link/.config/another"), false},
		{at("home/not/yet"), at("other/not/yet"), false},
		{at("home/.config/none"), at("home/.config/a"), false},
		{at("home/.config/a"), at("home/.config/dangling"), false},
		{at("home/.config/a/x"), at("link/.config/a/x"), false}, // not missing: it cannot be
		{"home", "link", false},
		{"", at("home"), false},
	} {
		if got := SamePath(tt.a, tt.b); got != tt.want {
			t.Errorf("%s, %s: %v", tt.a, tt.b, got)
		}
	}
}
