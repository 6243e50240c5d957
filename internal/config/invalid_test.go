package config

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tcred/tcred/api"
	"github.com/tcred/tcred/internal/human"
)

// Each problem is given as its beginning, "file:line:column", and words of message and hint. A warning's begins with
// "warning".
func TestEveryMistakeIsNamedAndPlaced(t *testing.T) {
	for _, test := range []struct {
		name, text string
		want       []string
	}{
		{"unknown keys",
			"Region = 'a-b'\nregoin = 'a-b'\nx = 1\nbackend = 'env'\n[keystore]\nsite = 'cn'\nBackend = 'env'\n[key_store]\n",
			[]string{`1:1 unknown "Region" "region"`, `2:1 "regoin" "region"`, `3:1 "x" known here: site, region`,
				`4:1 "backend" into [keystore]`,
				`6:1 "site" above the first [table]`, `7:1 "Backend" "backend"`, `8:1 "key_store" "keystore"`}},
		{"unknown keys of a profile",
			"[profiles.a]\npolicy = 'full'\nPolicy_File = 'a'\nendpoint = 'x'\n[profiles.b.c]\npolicy = 'full'\n",
			[]string{`3:1 "Policy_File" "policy_file"`, `4:1 "endpoint" above`, `5:1 "c" [profiles."b.c"]`,
				`5:1 profile "b" has no policy`}},
		{"no TOML", "site = 'cn'\nduration = 2h\n", []string{`2:13 not TOML quotes`}},
		{"quotes of a word processor", "site = “cn”\n", []string{`1:8 not TOML type "`}},
		{"a key twice", "site = 'cn'\nsite = 'cn'\n", []string{"2:1 not TOML: key 'site' already"}},
		{"behind a byte-order mark", "\ufeffsite = 1\n", []string{"1:8 site must be a string"}},
		{"a NUL", "site = 'c\x00n'\n", []string{"1:9 not TOML: TOML files cannot contain control characters"}},
		{"UTF-16", "\xff\xfes\x00", []string{"1:2 not TOML UTF-16"}},
		{"wrong types", "site = 1\nkey = ['a']\nca_file = true\nduration = 2.5\nkeystore = 'env'\nprofiles = 1979-05-27\n",
			[]string{"1:8 site must be a string, not a number", "2:8 a list", "3:11 true or false",
				"4:12 duration must be a string",
				"5:13 keystore must be a table [keystore]", "6:12 profiles must be a table, not a date"}},
		{"profiles of wrong types", "[profiles]\na = 'full'\n[[profiles.b]]\n",
			[]string{"2:6 profiles.a must be a table, not a string [profiles.a]", "3:1 profiles.b must be a table, not a list"}},
		{"empty", "site = ''\nregion = ''\nkey = ''\nendpoint = ''\nduration = ''\n",
			[]string{"1:9 site is empty", "2:11 empty", "3:8 empty", "4:13 empty", "5:13 not a duration"}},
		{"choices", "site = 'CN'\nlanguage = 'zh_CN'\n[keystore]\nbackend = 'memory'\ndir = 'd'\n",
			[]string{`1:9 cn, intl "CN" "cn"`, `2:13 en, zh, "zh_CN" did you mean "zh"?`, `4:12 keychain, file, dir, env, "memory" "keychain"`}},
		{"shapes", "region = 'Guangzhou'\nkey = 'a/b'\n",
			[]string{`1:11 "Guangzhou" is not a region ap-guangzhou`, `2:8 "a/b" cannot be a key's name 64 letters`}},
		{"paths",
			"ca_file = '~/ca.pem'\n[keystore]\nbackend = 'dir'\ndir = '$HOME/x'\n[profiles.a]\npolicy_file = \"a\\u0000\"\n",
			[]string{`1:12 "~", which is not expanded whole path`, `4:8 "$"`, "6:16 control character"}},
		{"settings of another backend", "[keystore]\npassphrase_file = 'p'\ndir = 'd'\n",
			[]string{`2:20 backend = "file" only; it is "keychain"`, `3:8 backend = "dir" only`}},
		{"missing files", "ca_file = 'no.pem'\n[profiles.a]\npolicy_file = 'no.json'\n",
			[]string{"1:12 no.pem does not exist", "3:16 no.json does not exist"}},
		{"files that are none", "ca_file = '.'\n[profiles.a]\npolicy_file = '.'\n",
			[]string{"1:12 is a directory", "3:16 is a directory"}},
		{"no certificate", "ca_file = 'config.toml'\n", []string{"1:12 holds no PEM certificate BEGIN CERTIFICATE"}},
		{"profile names", "[profiles.\"a b\"]\npolicy = 'full'\n[profiles._a]\npolicy = 'full'\n",
			[]string{`1:1 "a b" cannot be a profile's name`, `3:1 "_a" cannot`}},
		{"federated users",
			"[profiles.a]\npolicy='full'\nname='up-load'\n[profiles.b]\npolicy='full'\nname='up load'\n" +
				"[profiles.c]\npolicy='full'\nname=''\n",
			[]string{`warning 3:7 "up-load" letters hyphens`, `6:7 "up load" blank`, "9:7 name is empty"}},
		{"policies",
			"[profiles.a]\n[profiles.b]\npolicy='full'\npolicy_file='b.json'\n[profiles.c]\npolicy='Full'\n" +
				"[profiles.d]\npolicy='d.json'\n",
			[]string{`1:1 "a" has no policy policy = "full"`, `4:14 both policy and policy_file`,
				`6:9 neither "full" nor JSON write "full"`, `8:9 neither policy_file = "d.json"`}},
	} {
		t.Run(test.name, func(t *testing.T) {
			expect(t, problems(t, write(t, "config.toml", test.text)), "config.toml:", test.want)
		})
	}
}

func TestDurations(t *testing.T) {
	for value, want := range map[string]string{
		`"30m"`: "", `"36h"`: "", `"1h30m"`: "", `"2h0m1s"`: "",
		`7200`:     `has no unit write "2h"`,
		`5400`:     `has no unit write "1h30m"`,
		`"7200"`:   `not a duration write "2h" for that many seconds`,
		`0`:        `has no unit write "2h"`,
		`-1`:       `has no unit write "2h"`,
		`"2 h"`:    `not a duration a number with h, m or s`,
		`"1d"`:     `not a duration like "2h"`,
		`"4m59s"`:  "4m59s is out of range 5m to 36h",
		`"37h"`:    "37h is out of range at most 2h for a root account's key",
		`"-2h"`:    "out of range",
		`"1h0.5s"`: "whole seconds",
	} {
		t.Run(value, func(t *testing.T) {
			for name, text := range map[string]string{
				"config.toml:1:": "duration = " + value,
				"config.toml:3:": "[profiles.a]\npolicy = 'full'\nduration = " + value,
			} {
				expectOne(t, problems(t, write(t, "config.toml", text)), name, want)
			}
		})
	}
	for value, want := range map[string]string{
		`"0"`: "", `"1m"`: "", `"240h"`: "",
		`0`: `has no unit write "30m"`, `"30s"`: `too short "0" for never`, `"-1m"`: "too short",
	} {
		t.Run("idle_exit "+value, func(t *testing.T) {
			expectOne(t, problems(t, write(t, "config.toml", "idle_exit = "+value)), "config.toml:1:", want)
		})
	}
}

func TestSTSRateIsAWholeNumberThatSTSAllows(t *testing.T) {
	for value, want := range map[string]string{
		"1": "", "600": "", "0": "out of range 1 to 600", "601": "out of range", "-5": "out of range",
		`"20"`: "whole number sts_rate = 20", "2.5": "whole number",
	} {
		expectOne(t, problems(t, write(t, "config.toml", "sts_rate = "+value)), "config.toml:1:", want)
	}
}

func TestEndpointsAndProxies(t *testing.T) {
	for setting, want := range map[string]string{
		"endpoint = 'https://sts.internal.tencentcloudapi.com'": "",
		"endpoint = 'http://127.0.0.2:1/'":                      "",
		"endpoint = 'http://localhost'":                         "",
		"endpoint = 'http://sts.tencentcloudapi.com'":           "plain http goes to loopback only use https",
		"endpoint = 'http://127.0.0.1.evil.com'":                "loopback only",
		"endpoint = 'sts.tencentcloudapi.com'":                  "a scheme and a host like https://",
		"endpoint = 'ftp://a'":                                  `scheme "ftp"`,
		"endpoint = 'https://a/b'":                              "a scheme and a host",
		"endpoint = 'https://u:p@a'":                            "a scheme and a host",
		"endpoint = 'https://a:b'":                              "a scheme and a host",
		"proxy = 'http://u:p@proxy:8080'":                       "",
		"proxy = 'proxy:8080'":                                  "proxy must be a URL like http://",
		"proxy = 'ftp://u:hunter2@a'":                           "proxy must be a URL",
		"proxy = 'http://u:hunter2@a:b%zz'":                     "proxy must be a URL",
	} {
		t.Run(setting, func(t *testing.T) {
			got := problems(t, write(t, "config.toml", setting))
			expectOne(t, got, "config.toml:1:", want)
			if strings.Contains(strings.Join(got, ""), "hunter2") {
				t.Errorf("shows a password: %q", got)
			}
		})
	}
}

func TestFindingsOfAPolicyStandWhereItIsWritten(t *testing.T) {
	const bad = "{\n  \"version\": \"2\",\n" +
		"  \"statement\": [{\"effect\": \"allow\", \"action\": \"Get\", \"resource\": \"*\"}]\n}"
	inline := []string{"4:14 must be \"2.0\"", "warning 5:47 names no service"}
	for name, test := range map[string]struct {
		text string
		want []string
	}{
		"literal":       {"[profiles.a]\npolicy = '''\n" + bad + "'''\n", inline},
		"literal, CRLF": {strings.ReplaceAll("[profiles.a]\npolicy = '''\n"+bad+"'''\n", "\n", "\r\n"), inline},
		"on the key's": {"[profiles.a]\npolicy = '''" + bad + "'''",
			[]string{"3:14 must be", "warning 4:47 names no service"}},
		"on one line": {"[profiles.a]\npolicy = '" + strings.ReplaceAll(bad, "\n", "") + "'",
			[]string{"2:25 must be", "warning 2:75 names no service"}},
		"in inline table": {"profiles = {a = {policy = '{'}}", []string{"1:18 too early (line 1, column 2 of the policy)"}},
		"with escapes": {"[profiles.a]\npolicy = \"{\\\"version\\\": 2}\"",
			[]string{`2:11 no "statement" (line 1, column 1 of the policy)`,
				"2:11 number (line 1, column 13 of the policy)"}},
	} {
		t.Run(name, func(t *testing.T) {
			expect(t, problems(t, write(t, "config.toml", test.text)), "config.toml:", test.want)
		})
	}
	t.Run("file of two profiles", func(t *testing.T) {
		path := write(t, "config.toml", "[profiles.a]\npolicy_file = 'p.json'\n[profiles.b]\npolicy_file = './p.json'\n")
		writeTo(t, filepath.Join(filepath.Dir(path), "p.json"), bad)
		expect(t, problems(t, path), "p.json:", []string{"2:14 must be \"2.0\"", "warning 3:47 names no service"})
	})
}

func TestWarningsDoNotKeepAConfigFromLoading(t *testing.T) {
	cfg, warnings, err := Load(write(t, "config.toml",
		"[profiles.a]\nname = 'a-b'\npolicy = '"+strings.Replace(denyAll, "*", "Get", 1)+"'"))
	if err != nil || len(warnings) != 2 || cfg.Profiles["a"].FederatedUser != "a-b" {
		t.Errorf("%+v, %v, %v", cfg, warnings, err)
	}
}

// A config that does not load is read again at every request, so it must not cost more than a good one.
func TestABrokenConfigHasAtMost100Problems(t *testing.T) {
	many := func(format string) string {
		var text strings.Builder
		for i := range 2000 {
			fmt.Fprintf(&text, format, i)
		}
		return text.String()
	}
	for name, test := range map[string]struct {
		text    string
		refused bool
	}{
		"unknown keys":            {many("x%d = 1\n"), true},
		"a missing policy file":   {many("[profiles.p%d]\npolicy_file = 'no.json'\n"), true},
		"warnings":                {many("[profiles.p%d]\npolicy = 'full'\nname = 'a-b'\n"), false},
		"an error after warnings": {many("[profiles.p%d]\npolicy = 'full'\nname = 'a-b'\n") + "[profiles.z]\n", true},
	} {
		t.Run(name, func(t *testing.T) {
			_, found, err := Load(write(t, "config.toml", test.text))
			if invalid := new(Invalid); errors.As(err, &invalid) {
				found = invalid.Problems
				if len(invalid.Files) > 2 {
					t.Errorf("%d files to watch", len(invalid.Files))
				}
			}
			if len(found) != maxProblems || (err != nil) != test.refused {
				t.Errorf("%d problems, %v", len(found), err)
			}
		})
	}
}

func TestTheErrorNamesTheFirstProblemAndTheFilesToWatch(t *testing.T) {
	path := write(t, "config.toml", "x = 1\n[profiles.a]\npolicy_file = 'no.json'\nname = 'a-b'\n")
	_, _, err := Load(path)
	e := api.AsError(err)
	if want := path + `:1:1: unknown key "x" (2 more)`; e.Message != want || !strings.Contains(e.Hint, "tcred check") {
		t.Errorf("got %s | %s", e.Message, e.Hint)
	}
	invalid := new(Invalid)
	if !errors.As(err, &invalid) || len(invalid.Files) != 2 ||
		invalid.Files[1] != filepath.Join(filepath.Dir(path), "no.json") {
		t.Errorf("%+v", invalid)
	}
	if lines := strings.Split(invalid.Error(), "\n"); len(lines) != 3 || !strings.HasPrefix(lines[0], path) {
		t.Errorf("%q", lines)
	}
}

func TestAConfigFileThatIsNoneOrNotOursAlone(t *testing.T) {
	dir := t.TempDir()
	loop := filepath.Join(dir, "loop")
	if err := os.Symlink(loop, loop); err != nil {
		t.Skip(err)
	}
	expectOne(t, problems(t, loop), "loop:", "cannot be read")
	expectOne(t, problems(t, write(t, "config.toml", strings.Repeat("#\n", maxConfig))), "config.toml:",
		"larger than 256 KiB")
	sub := filepath.Join(dir, "sub")
	if err := os.Mkdir(sub, 0o700); err != nil {
		t.Fatal(err)
	}
	expectOne(t, problems(t, sub), "sub:", "is a directory, not a file")
	policy := write(t, "config.toml", "[profiles.a]\npolicy_file = 'p.json'\n")
	writeTo(t, filepath.Join(filepath.Dir(policy), "p.json"), strings.Repeat(" ", maxPolicy+1))
	expectOne(t, problems(t, policy), "config.toml:2:", "p.json is larger than 64 KiB")
}

// expect compares got, lines of problems, with want: place and words of each.
func expect(t *testing.T, got []string, file string, want []string) {
	t.Helper()
	ok := len(got) == len(want)
	for i := 0; ok && i < len(got); i++ {
		ok = matches(got[i], file, want[i])
	}
	if !ok {
		t.Errorf("got\n  %s\nwant\n  %s", strings.Join(got, "\n  "), strings.Join(want, "\n  "))
	}
}

func matches(line, file, want string) bool {
	if rest, ok := strings.CutPrefix(want, "warning "); ok {
		file, want = "warning "+file, rest
	}
	place, words, _ := strings.Cut(want, " ")
	line, ok := strings.CutPrefix(line, file+place+": ")
	for word := range strings.FieldsSeq(words) {
		_, rest, found := strings.Cut(line, word)
		ok, line = ok && found, rest
	}
	return ok
}

func TestASyntaxErrorQuotesNoPassword(t *testing.T) {
	for _, escape := range []string{`\x7g`, `\u12`, `\Ux7`, `\c`, `\`, "\n", "\x01", `"`} {
		for _, quote := range []string{`"`, `'`, `"""`, "'''", ""} {
			text := "proxy = " + quote + "http://user:S3cretPass" + escape + "@proxy.corp:8080" + quote + "\n"
			for _, line := range problems(t, write(t, "config.toml", text)) {
				if strings.Contains(line, "S3cret") {
					t.Errorf("%q: %s", text, line)
				}
			}
		}
	}
}

// expectOne wants one problem that begins with place and has words, or none if words is empty.
func expectOne(t *testing.T, got []string, place, words string) {
	t.Helper()
	if words == "" && len(got) == 0 {
		return
	}
	ok := len(got) == 1 && words != "" && strings.HasPrefix(got[0], place)
	for word := range strings.FieldsSeq(words) {
		ok = ok && strings.Contains(got[0], word)
	}
	if !ok {
		t.Errorf("got %q, want %q", got, words)
	}
}

func TestADurationThatCOSMayRefuseIsAWarning(t *testing.T) {
	for duration, warned := range map[string]bool{"5m": true, "29m59s": true, "30m": false} {
		cfg, found, err := Load(write(t, "config.toml", "[profiles.a]\npolicy = 'full'\nduration = '"+duration+"'\n"))
		if err != nil || (len(found) == 1) != warned || warned && (!found[0].Warning || !strings.Contains(found[0].Message, "COS states at least 30m")) {
			t.Errorf("%s: %v, %v", duration, found, err)
		}
		if p, err := cfg.Profile("a", nil); err != nil || human.Span(p.Duration) != duration {
			t.Errorf("%s: %s, %v", duration, p.Duration, err)
		}
	}
}
