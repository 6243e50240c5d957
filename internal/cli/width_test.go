package cli

import (
	"strings"
	"testing"
)

func TestTheWidthIsThatOfTheEnvironment(t *testing.T) {
	for value, want := range map[string]int{"60": 60, "": 0, "x": 0, "-3": 0} {
		t.Setenv("COLUMNS", value)
		if got := (&app{out: new(strings.Builder)}).width(); got != want {
			t.Errorf("%q: %d", value, got)
		}
	}
}
