package config

import (
	"testing"
)

func TestNearestIsWhatWasMeantOrNothing(t *testing.T) {
	names := []string{"upload", "backup", "work", "db"}
	for word, want := range map[string]string{
		"uplaod": "upload", "UPLOAD": "upload", "upload2": "upload", "wrok": "work", "dv": "db",
		"download": "", "x": "", "": "", "other": "", "w": "",
	} {
		if got := nearest(word, names); got != want {
			t.Errorf("nearest(%q) = %q, want %q", word, got, want)
		}
	}
}
