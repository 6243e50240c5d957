package profile_test

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/tcred/tcred/api"
	"github.com/tcred/tcred/emulator"
	"github.com/tcred/tcred/internal/profile"
	"github.com/tcred/tcred/keystore"
)

// problems are those that Check finds, each as "file:line:column: message" with file as its base name.
func (h *home) problems() (lines []string) {
	for _, p := range h.open().Check(h.t.Context()) {
		p.File = filepath.Base(p.File)
		lines = append(lines, p.String())
	}
	return lines
}

// added notes a key of that type in the index, as tcred add does.
func (h *home) added(name, kind string) {
	h.t.Helper()
	e := keystore.Entry{Name: name, SecretID: "AKID" + name, Generation: keystore.NewGeneration(), Type: kind}
	if err := h.index.Put(h.t.Context(), e); err != nil {
		h.t.Fatal(err)
	}
}

func (h *home) wantProblems(want ...string) {
	h.t.Helper()
	if got := h.problems(); !slices.Equal(got, want) {
		h.t.Errorf("problems are\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

func TestCheckFindsNothingWhereNothingIsWrong(t *testing.T) {
	h := newHome(t)
	h.key("default", emulator.NewAccount(false))
	h.write("config.toml", h.config(fullProfile))
	h.wantProblems()
}

func TestCheckFindsEveryMissingKeyAndEveryRootAccountWithItsLine(t *testing.T) {
	h := newHome(t)
	h.key("default", emulator.NewAccount(false))
	h.added("default", keystore.IdentityRoot)
	h.added("work", keystore.IdentitySub)
	h.write("config.toml", `duration = "12h"
[keystore]
backend = "dir"
dir = "`+filepath.Join(h.dir, "keys")+`"
[profiles.upload]
policy = '''
{"version":"2.0","statement":
[{"effect":"allow","action":"name/cos:GetObject","resource":"*"}]}
'''
  duration = "3h"
[profiles."a.b"]
policy = "full"
key = "wrok"
[profiles.fine]
policy = "full"
key = "work"
[profiles] # a string stands between ''' quotes
inline = {policy = "full", key = "wokr"}
`)
	h.wantProblems(
		`config.toml:1:13: profile "default" asks for 12h; key "default" is a root account's: at most 2h`,
		`config.toml:10:15: profile "upload" asks for 3h; key "default" is a root account's: at most 2h`,
		`config.toml:13:8: profile "a.b": no key "wrok"; did you mean "work"?`,
		`config.toml:18:28: profile "inline": no key "wokr"; did you mean "work"?`,
	)
}

func TestCheckFindsADefaultProfileThatIsNone(t *testing.T) {
	h := newHome(t)
	h.key("work", emulator.NewAccount(false))
	h.write("config.toml", "default_profile = \"wrok\"\n"+h.config(""))
	h.wantProblems(`config.toml:1:20: default_profile "wrok" is neither a profile nor a key; did you mean "work"?`)
	h.write("config.toml", "default_profile = \"work\"\n"+h.config(""))
	h.wantProblems()
}

func TestCheckReportsConfigAndIndexTogether(t *testing.T) {
	h := newHome(t)
	if err := os.MkdirAll(filepath.Dir(h.index.Path), 0o700); err != nil {
		t.Fatal(err)
	}
	h.write("state/keys.json", "{")
	h.write("config.toml", "regoin = \"x\"\nduration = 7200\n")
	got := strings.Join(h.problems(), "\n")
	for _, want := range []string{"config.toml:1:1: unknown key", "config.toml:2:", "keys.json: key index"} {
		if !strings.Contains(got, want) {
			t.Errorf("no %q in\n%s", want, got)
		}
	}
}

func TestCheckFindsFilesThatOthersCanRead(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("mode bits do not tell there")
	}
	h := newHome(t)
	h.write("config.toml", "proxy = \"http://me:canary@proxy.corp:8080\"\n[keystore]\nbackend = \"file\"\npassphrase_file = \"pass\"\n")
	h.write("pass", "x")
	for path, mode := range map[string]os.FileMode{"pass": 0o640, "config.toml": 0o644, ".": 0o707} {
		if err := os.Chmod(filepath.Join(h.dir, path), mode); err != nil {
			t.Fatal(err)
		}
	}
	h.wantProblems(
		filepath.Base(h.dir)+": everybody can put another config.toml here (mode 0707)",
		"config.toml: the proxy's password in it is open to others (mode 0644)",
		"config.toml:4:20: passphrase file "+filepath.Join(h.dir, "pass")+" is open to other users (mode 0640)",
	)
}

func TestAProxyWithoutAPasswordMayBeRead(t *testing.T) {
	h := newHome(t)
	h.write("config.toml", "proxy = \"http://me@proxy.corp:8080\"\n"+h.config(""))
	if err := os.Chmod(filepath.Join(h.dir, "config.toml"), 0o644); err != nil {
		t.Fatal(err)
	}
	h.wantProblems()
}

func TestKeyNamesTheNearest(t *testing.T) {
	h := newHome(t)
	h.key("work", emulator.NewAccount(false))
	if e, err := h.open().Key(t.Context(), "work"); err != nil || !strings.HasPrefix(e.SecretID, "AKID") {
		t.Errorf("got %+v, %v", e, err)
	}
	h.write("config.toml", "")
	h.added("work", keystore.IdentitySub)
	set := profile.Open(profile.Options{ConfigPath: filepath.Join(h.dir, "config.toml"), Index: h.index})
	_, err := set.Key(t.Context(), "wrok")
	if api.CodeOf(err) != api.NoKey || err.Error() != fmt.Sprintf("no key %q; did you mean %q?", "wrok", "work") {
		t.Errorf("got %v", err)
	}
}
