package cli

import (
	"strings"
	"testing"
	"unicode/utf8"
)

func TestATableThatIsTooWideGoesLineByLine(t *testing.T) {
	profiles := table{header: []string{"PROFILE", "LAST USE"}}
	profiles.add("upload", "12:00:00 (1h30m ago)")
	profiles.add("配置", "-")
	keys := table{}
	keys.add("ok", "config", "all of it is as it should be")
	keys.add("", "", "cure: none")
	keys.add("fail", "socket", "/run/user/1000/tcred/tcred.sock is a link")
	for _, tt := range []struct {
		name  string
		t     table
		width int
		want  string
	}{
		{"any width", profiles, 0, "PROFILE  LAST USE\nupload   12:00:00 (1h30m ago)\n配置       -\n"},
		{"just enough", profiles, 29, "PROFILE  LAST USE\nupload   12:00:00 (1h30m ago)\n配置       -\n"},
		{"too narrow", profiles, 28, "upload\n  last use  12:00:00 (1h30m\n            ago)\n配置\n  last use  -\n"},
		{"without a header", keys, 36, "ok    config  all of it is as it\n              should be\n" +
			"              cure: none\nfail  socket  /run/user/1000/tcred/tcred.sock\n              is a link\n"},
		{"of no rows", table{header: []string{"KEY"}}, 1, ""},
	} {
		var out strings.Builder
		if err := tt.t.print(&out, tt.width); err != nil || out.String() != tt.want {
			t.Errorf("%s: %v\n%s\nwant\n%s", tt.name, err, &out, tt.want)
		}
	}
}

func TestProseIsBrokenAtItsBlanks(t *testing.T) {
	text := "upload: sts_permission: key \"work\" may not call it\nat all"
	if got := prose(text, "", 0); got != "upload: sts_permission: key \"work\" may not call it at all\n" {
		t.Errorf("%q", got)
	}
	got := prose(text, "  ", 24)
	for line := range strings.Lines(got) {
		if utf8.RuneCountInString(line) > 25 {
			t.Errorf("too wide: %q", line)
		}
	}
	if strings.Join(strings.Fields(got), " ") != strings.Join(strings.Fields(text), " ") {
		t.Errorf("%q", got)
	}
}

func TestTheWidthIsThatOfTheEnvironment(t *testing.T) {
	for value, want := range map[string]int{"60": 60, "": 0, "x": 0, "-3": 0} {
		t.Setenv("COLUMNS", value)
		if got := (&app{out: new(strings.Builder)}).width(); got != want {
			t.Errorf("%q: %d", value, got)
		}
	}
}
