package table

import (
	"strings"
	"testing"
	"unicode/utf8"
)

func TestATableThatIsTooWideGoesLineByLine(t *testing.T) {
	profiles := Table{Header: []string{"PROFILE", "LAST USE"}}
	profiles.Add("upload", "12:00:00 (1h30m ago)")
	profiles.Add("配置", "-")
	keys := Table{}
	keys.Add("ok", "config", "all of it is as it should be")
	keys.Add("", "", "cure: none")
	keys.Add("fail", "socket", "/run/user/1000/tcred/tcred.sock is a link")
	for _, tt := range []struct {
		name  string
		t     Table
		width int
		want  string
	}{
		{"any width", profiles, 0, "PROFILE  LAST USE\nupload   12:00:00 (1h30m ago)\n配置       -\n"},
		{"just enough", profiles, 29, "PROFILE  LAST USE\nupload   12:00:00 (1h30m ago)\n配置       -\n"},
		{"too narrow", profiles, 28, "upload\n  last use  12:00:00 (1h30m\n            ago)\n配置\n  last use  -\n"},
		{"without a header", keys, 36, "ok    config  all of it is as it\n              should be\n" +
			"              cure: none\nfail  socket  /run/user/1000/tcred/tcred.sock\n              is a link\n"},
		{"of no rows", Table{Header: []string{"KEY"}}, 1, ""},
	} {
		var out strings.Builder
		if err := tt.t.Print(&out, tt.width); err != nil || out.String() != tt.want {
			t.Errorf("%s: %v\n%s\nwant\n%s", tt.name, err, &out, tt.want)
		}
	}
}

func TestProseIsBrokenAtItsBlanks(t *testing.T) {
	text := "upload: sts_permission: key \"work\" may not call it\nat all"
	if got := Prose(text, "", 0); got != "upload: sts_permission: key \"work\" may not call it at all\n" {
		t.Errorf("%q", got)
	}
	got := Prose(text, "  ", 24)
	for line := range strings.Lines(got) {
		if utf8.RuneCountInString(line) > 25 {
			t.Errorf("too wide: %q", line)
		}
	}
	if strings.Join(strings.Fields(got), " ") != strings.Join(strings.Fields(text), " ") {
		t.Errorf("%q", got)
	}
}
