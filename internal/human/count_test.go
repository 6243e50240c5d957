package human

import (
	"testing"
	"time"
)

func TestMomentIsTheHourAndTheDistance(t *testing.T) {
	now := time.Date(2026, 11, 21, 12, 0, 0, 0, time.Local)
	for at, want := range map[time.Time]string{
		{}:                               "-",
		now.Add(90 * time.Minute):        "13:30:00 (1h30m left)",
		now.Add(59 * time.Second):        "12:00:59 (59s left)",
		now:                              "12:00:00 (0s ago)",
		now.Add(-61 * time.Second):       "11:58:59 (1m ago)",
		now.Add(36 * time.Hour):          "2026-11-23 00:00:00 (36h left)",
		now.Add(-12 * time.Hour):         "2026-11-21 00:00:00 (12h ago)",
		now.Add(2 * time.Hour).UTC():     "14:00:00 (2h left)",
		now.Add(1999 * time.Millisecond): "12:00:01 (1s left)",
	} {
		if got := Moment(at, now); got != want {
			t.Errorf("%v: %q, want %q", at, got, want)
		}
	}
}

func TestCountIsWordedForNoneOneAndMore(t *testing.T) {
	for n, want := range map[int]string{0: "no keys", 1: "1 key", 2: "2 keys", 120: "120 keys"} {
		if got := Count(n, "key"); got != want {
			t.Errorf("%d: %q", n, got)
		}
	}
}

func TestAShellWordIsOneWord(t *testing.T) {
	for text, want := range map[string]string{
		"/a/b-c_d.e": "/a/b-c_d.e", "": "''", "/a b": "'/a b'", "it's": `'it'\''s'`, "$x": "'$x'", "~": "'~'", "a\nb": "'a\nb'", "é": "é",
	} {
		if got := ShellWord(text); got != want {
			t.Errorf("%q: %s, want %s", text, got, want)
		}
	}
}
