package helper

import (
	"strings"
	"testing"

	"github.com/tcred/tcred/api"
	"github.com/tcred/tcred/internal/say"
)

func TestCommandLines(t *testing.T) {
	for _, tt := range []struct {
		args, fallback string
		want           options
		wrong          string
	}{
		{args: "", want: options{}},
		{args: "", fallback: "env", want: options{profile: "env", fromEnv: true}},
		{args: "upload", fallback: "env", want: options{profile: "upload"}},
		{args: "--profile upload", want: options{profile: "upload"}},
		{args: "--profile=upload --format=env --min-ttl 20m", want: options{profile: "upload", format: "env", minTTL: "20m"}},
		{args: "--format cos upload --min-ttl=1h", want: options{profile: "upload", format: "cos", minTTL: "1h"}},
		{args: "--version", fallback: "bad/name", want: options{version: true}},
		{args: "-h", want: options{help: true}},
		{args: "a b", wrong: `more than one profile: "a" and "b"`},
		{args: "a --profile b", wrong: `more than one profile: "a" and "b"`},
		{args: "../x", wrong: `bad profile name "../x"`},
		{args: "a?b", wrong: `bad profile name "a?b"`},
		{args: "a\x1b[2J", wrong: `bad profile name "a?[2J"`},
		{args: "", fallback: "bad/name", wrong: `bad profile name "bad/name" in TCRED_PROFILE`},
		{args: "--profile=", wrong: "--profile needs a value"},
		{args: "--min-ttl", wrong: "--min-ttl needs a value"},
		{args: "--format " + strings.Repeat("x", 257), wrong: "the value of --format is too long"},
		{args: "--verbose", wrong: `unknown flag "--verbose"`},
		{args: "--version=1", wrong: `unknown flag "--version=1"`},
		{args: "-p x", wrong: `unknown flag "-p"`},
		{args: "-", wrong: `unknown flag "-"`},
	} {
		got, err := parseArgs(strings.Fields(tt.args), tt.fallback)
		if tt.wrong == "" {
			if err != nil || got != tt.want {
				t.Errorf("%q: got %+v, %v; want %+v", tt.args, got, err, tt.want)
			}
			continue
		}
		e := api.AsError(err)
		hint := "tcred-helper --help"
		if strings.HasPrefix(tt.wrong, "bad profile name") {
			hint = api.NameHint
		}
		if err == nil || e.Message != tt.wrong || say.Exit(e) != say.ExitUsage || e.Hint != hint {
			t.Errorf("%q: got %v, want %s", tt.args, err, tt.wrong)
		}
	}
	if _, err := parseArgs([]string{""}, "env"); err == nil {
		t.Error("an empty argument, as from an unset variable, must not mean another profile")
	}
}

func TestTheRequestIsAsTheProtocolSays(t *testing.T) {
	got := string(options{profile: "upload", format: "a&b=c d/\r\n", minTTL: "20m"}.request("/home/ü/config.toml"))
	want := "GET /v1/credentials/upload?format=a%26b%3Dc%20d%2F%0D%0A&min_ttl=20m HTTP/1.1\r\nHost: tcred\r\nAccept: text/plain\r\n" +
		"Tcred-Config: /home/ü/config.toml\r\nConnection: close\r\n\r\n"
	if got != want {
		t.Errorf("got  %q\nwant %q", got, want)
	}
	if got := string(options{minTTL: "1h"}.request("/c")); !strings.HasPrefix(got, "GET /v1/credentials?min_ttl=1h HTTP/1.1\r\n") {
		t.Errorf("got %q", got)
	}
	if got := string(options{profile: "p"}.request("/c")); !strings.HasPrefix(got, "GET /v1/credentials/p HTTP/1.1\r\n") {
		t.Errorf("got %q", got)
	}
}
