package config

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// example is config.example.toml's text.
func example(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile("../../config.example.toml")
	if err != nil {
		t.Fatal(err)
	}
	return strings.ReplaceAll(string(text), "\r\n", "\n")
}

func TestExampleIsTheDefaultsAndOneProfile(t *testing.T) {
	cfg := mustLoad(t, write(t, "config.toml", example(t)))
	want := defaults(cfg.Path)
	want.Profiles, want.written = cfg.Profiles, cfg.written
	if got, want := fmt.Sprintf("%+v", cfg), fmt.Sprintf("%+v", want); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	if names := cfg.Names(nil); len(names) != 1 || names[0] != "upload" {
		t.Errorf("profiles %q", names)
	}
}

var commented = regexp.MustCompile(`(?m)^# (\w+) = .+$`)

func TestEveryCommentedSettingOfTheExampleLoads(t *testing.T) {
	text := example(t)
	goesWith := map[string][2]string{ // what must change with it
		"passphrase_file": {`backend = "keychain"`, `backend = "file"`},
		"dir":             {`backend = "keychain"`, `backend = "dir"`},
		"policy_file":     {"policy = '''", "_ = '''"},
	}
	settings := commented.FindAllStringSubmatchIndex(text, -1)
	if len(settings) != 13 {
		t.Errorf("found %d commented settings", len(settings))
	}
	for _, at := range settings {
		line, key := text[at[0]:at[1]], text[at[2]:at[3]]
		t.Run(line, func(t *testing.T) {
			with := text[:at[0]] + strings.TrimPrefix(line, "# ") + text[at[1]:]
			if change, ok := goesWith[key]; ok {
				with = strings.Replace(with, change[0], change[1], 1)
			}
			with = regexp.MustCompile(`(?s)\n_ = '''.*'''\n`).ReplaceAllString(with, "\n")
			path := write(t, "config.toml", with)
			dir := filepath.Dir(path)
			writeTo(t, filepath.Join(dir, "ca.pem"), certificate(t))
			writeTo(t, filepath.Join(dir, "upload.json"),
				`{"version":"2.0","statement":[{"effect":"deny","action":"*","resource":"*"}]}`)
			before, after := mustLoad(t, write(t, "config.toml", text)), mustLoad(t, path)
			before.Path, after.Path = "", ""
			before.written, after.written = written{}, written{}          // they differ by what is written in any case
			if key != "name" && fmt.Sprint(before) == fmt.Sprint(after) { // its name is what is left out
				t.Error("it changes nothing")
			}
		})
	}
}

func TestExampleExplainsEverySetting(t *testing.T) {
	text := example(t)
	for _, keys := range [][]string{topKeys, keystoreKeys, profileKeys} {
		for _, key := range keys {
			if !regexp.MustCompile(`(?m)^(# )?(` + key + ` = |\[` + key + `[].])`).MatchString(text) {
				t.Errorf("%s is not in config.example.toml", key)
			}
		}
	}
}

func TestTemplateLoadsForEverySiteAndKeystoreAndWithItsProfile(t *testing.T) {
	for _, site := range append(Sites, "") {
		for _, backend := range append(Backends, "") {
			text := string(Template(site, backend))
			cfg := mustLoad(t, write(t, "config.toml", text))
			if cfg.Site != site || cfg.Keystore.Backend != or(backend, DefaultBackend) || cfg.Duration != DefaultDuration {
				t.Errorf("Template(%q, %q) loads as %+v", site, backend, cfg)
			}
			head, profile, _ := strings.Cut(text, "#\n")
			cfg = mustLoad(t, write(t, "config.toml", head+strings.ReplaceAll(profile, "\n# ", "\n")[2:]))
			if len(cfg.Profiles) != 1 {
				t.Errorf("profiles %v", cfg.Profiles)
			}
		}
	}
}
