package cli

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/tcred/tcred/api"
	"github.com/tcred/tcred/internal/place/dirs"
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
		if got := moment(at, now); got != want {
			t.Errorf("%v: %q, want %q", at, got, want)
		}
	}
}

func TestStatusSaysWhatIsNotAsThisCommandWouldHaveIt(t *testing.T) {
	var said bytes.Buffer
	a := &app{err: &said}
	a.warnOfSkew(api.Status{Version: api.Version, Config: "/c"}, dirs.Places{Config: "/c"})
	if said.Len() > 0 {
		t.Errorf("all is well, but it says %q", &said)
	}
	a.warnOfSkew(api.Status{Version: "0.1-old", Config: "/other", Problem: &api.Problem{Detail: "unknown key"}}, dirs.Places{Config: "/c"})
	for _, want := range []string{"version 0.1-old, this is " + api.Version, "reads /other, this shell means /c", "not in use: unknown key"} {
		if !strings.Contains(said.String(), want) {
			t.Errorf("no %q in\n%s", want, &said)
		}
	}
}
