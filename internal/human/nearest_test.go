package human

import (
	"slices"
	"testing"
)

func TestNearestIsWhatWasMeantOrNothing(t *testing.T) {
	names := []string{"upload", "backup", "work", "db"}
	for word, want := range map[string]string{
		"uplaod": "upload", "UPLOAD": "upload", "upload2": "upload", "wrok": "work", "dv": "db",
		"download": "", "x": "", "": "", "other": "", "w": "",
	} {
		if got := Nearest(word, names); got != want {
			t.Errorf("Nearest(%q) = %q, want %q", word, got, want)
		}
	}
}

// Of names equally near the likelier one is meant, wherever it stands.
func TestOfEqualsTheLikelierIsNearest(t *testing.T) {
	for _, tt := range []struct {
		word, want string
		names      []string
	}{
		{"lst", "list", []string{"get", "list", "last-used"}},
		{"gte", "get", []string{"gate", "get", "rte"}},             // the same letters, swapped
		{"lgos", "logs", []string{"lots", "logos", "logs"}},        // the same
		{"log", "logs", []string{"dog", "lag", "logs", "blog"}},    // typed too short
		{"stop", "stops", []string{"atop", "shop", "stops"}},       // the same
		{"prox", "prod", []string{"drox", "brox", "prod", "crox"}}, // the same beginning
		{"dex", "dev", []string{"hex", "dev"}},
		{"work", "worka", []string{"worka", "workb"}}, // nothing tells them apart: the first
	} {
		for range 2 {
			if got := Nearest(tt.word, tt.names); got != tt.want {
				t.Errorf("of %v %q is nearest to %q, not %q", tt.names, got, tt.word, tt.want)
			}
			if tt.word != "work" {
				slices.Reverse(tt.names)
			}
		}
	}
}

func TestABeginningWillDoWhereNothingIsNear(t *testing.T) {
	for word, want := range map[string]string{"comp": "completion", "ser": "service", "re": "remove", "r": "", "ove": ""} {
		if got := Nearest(word, []string{"completion", "service", "remove", "refresh"}); got != want {
			t.Errorf("%q: %q, want %q", word, got, want)
		}
	}
}
