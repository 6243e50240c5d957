package config

import (
	"testing"
	"time"
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

func TestSpanIsWrittenAsPeopleDo(t *testing.T) {
	for _, want := range []string{"2h", "30m", "1h30m", "36h", "29m59s", "1h0m1s", "45s", "0s", "-2h"} {
		if d, err := time.ParseDuration(want); err != nil || span(d) != want {
			t.Errorf("span(%s) = %s, %v", want, span(d), err)
		}
	}
}
