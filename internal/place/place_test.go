//go:build unix

package place

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/tcred/tcred/api"
	"github.com/tcred/tcred/internal/human"
	"github.com/tcred/tcred/internal/socket"
)

// setEnv leaves only the given variables of those that steer a path.
func setEnv(t *testing.T, vars map[string]string) {
	t.Helper()
	for _, name := range []string{
		api.EnvSocket, api.EnvConfig, api.EnvCacheDir, envRuntime, envConfig, envCache, envState, envData, envHome,
	} {
		t.Setenv(name, vars[name])
	}
}

// passwd makes text the file where users without HOME are looked up.
func passwd(t *testing.T, text string) {
	t.Helper()
	before := passwdFile
	t.Cleanup(func() { passwdFile = before })
	passwdFile = filepath.Join(t.TempDir(), "passwd")
	if err := os.WriteFile(passwdFile, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestTheSocketIsFoundInThisOrder(t *testing.T) {
	home := t.TempDir()
	cache := "/.cache"
	if runtime.GOOS == "darwin" {
		cache = "/Library/Caches"
	}
	for _, tt := range []struct {
		name string
		env  map[string]string
		want string
	}{
		{"TCRED_SOCKET wins", map[string]string{api.EnvSocket: "/a/s.sock", "XDG_RUNTIME_DIR": "/run"}, "/a/s.sock"},
		{"and is cleaned", map[string]string{api.EnvSocket: "/a//b/../s.sock/"}, "/a/s.sock"},
		{"the runtime directory", map[string]string{"XDG_RUNTIME_DIR": home}, home + "/tcred/tcred.sock"},
		{"the cache directory", map[string]string{}, home + cache + "/tcred/run/tcred.sock"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			tt.env["HOME"] = home
			setEnv(t, tt.env)
			if runtimeDir() != "" && tt.env[api.EnvSocket] == "" && tt.env["XDG_RUNTIME_DIR"] == "" {
				tt.want = runtimeDir() + "/tcred/tcred.sock"
			}
			got, err := findSocket()
			if err != nil || got != tt.want {
				t.Errorf("got %q, %v; want %q", got, err, tt.want)
			}
		})
	}
}

func TestTheConfigIsFoundInThisOrder(t *testing.T) {
	home := t.TempDir()
	for want, env := range map[string]map[string]string{
		"/c/my.toml":                        {api.EnvConfig: "/c/my.toml", "XDG_CONFIG_HOME": "/x"},
		"/x/tcred/config.toml":              {"XDG_CONFIG_HOME": "/x"},
		home + "/.config/tcred/config.toml": {},
	} {
		env["HOME"] = home
		setEnv(t, env)
		if got, err := Config(); err != nil || got != want {
			t.Errorf("%v: got %q, %v; want %q", env, got, err, want)
		}
	}
}

func TestAnUnusablePathIsNamedAndRefused(t *testing.T) {
	home := t.TempDir()
	long := "/" + strings.Repeat("x", socket.MaxPath)
	for _, tt := range []struct {
		name, variable, value, want string
	}{
		{"relative socket", api.EnvSocket, "run/s.sock", `$TCRED_SOCKET is not an absolute path: "run/s.sock"`},
		{"relative runtime directory", "XDG_RUNTIME_DIR", "run", `$XDG_RUNTIME_DIR is not an absolute path: "run"`},
		{"relative config", api.EnvConfig, "c.toml", `$TCRED_CONFIG is not an absolute path: "c.toml"`},
		{"a header in the config's name", api.EnvConfig, "/c\r\nX: y", "holds a control character"},
		{"abstract socket", api.EnvSocket, "@tcred", `$TCRED_SOCKET is not an absolute path: "@tcred"`},
		{"too long", api.EnvSocket, long, "is " + human.Itoa(len(long), 10) + " bytes long, the limit is " + human.Itoa(socket.MaxPath, 10) + ": \"" + long},
	} {
		t.Run(tt.name, func(t *testing.T) {
			setEnv(t, map[string]string{"HOME": home, tt.variable: tt.value})
			find := Socket
			if tt.variable == api.EnvConfig {
				find = Config
			}
			_, err := find()
			if e := api.AsError(err); err == nil || e.Code != api.BadRequest || !strings.Contains(e.Message, tt.want) || e.Hint == "" {
				t.Errorf("got %v", err)
			}
		})
	}
}

func TestThePathThatJustFitsIsTaken(t *testing.T) {
	fits := "/" + strings.Repeat("x", socket.MaxPath-1)
	setEnv(t, map[string]string{"HOME": t.TempDir(), api.EnvSocket: fits})
	if got, err := Socket(); err != nil || got != fits {
		t.Errorf("got %q, %v", got, err)
	}
}

func TestWithoutHomeThePasswdFileKnowsIt(t *testing.T) {
	home := t.TempDir()
	passwd(t, fmt.Sprintf("root:x:999999:0::/nowhere:/bin/sh\nme:x:%d:100:Me,,,:%s/:/bin/sh\n", os.Geteuid(), home))
	setEnv(t, nil)
	if got, err := Home(); err != nil || got != home {
		t.Errorf("home: got %q, %v", got, err)
	}
	if got, err := Config(); err != nil || got != home+"/.config/tcred/config.toml" {
		t.Errorf("config: got %q, %v", got, err)
	}
	if got, err := Socket(); err != nil || runtimeDir() == "" && !strings.HasPrefix(got, home) {
		t.Errorf("socket: got %q, %v", got, err)
	}
	t.Setenv(envHome, "/set")
	if got, err := Home(); err != nil || got != "/set" {
		t.Errorf("HOME counts first: got %q, %v", got, err)
	}
}

func TestAHomeIsReadFromAPasswdFileAsTheSystemDoes(t *testing.T) {
	for name, tt := range map[string]struct{ text, want string }{
		"the first of two":          {"a:x:7:7::/a:/bin/sh\nb:x:7:7::/b:/bin/sh\n", "/a"},
		"no newline at the end":     {"x:x:70:7::/x:\na:x:7:7:c:/a:/bin/sh", "/a"},
		"the number of a group":     {"a:x:8:7::/a:/bin/sh\n", ""},
		"short lines and a NIS one": {"+::::::\n7\n::7\n\na:x:7:7:c:/a\n", "/a"},
		"no home":                   {"a:x:7:7:::/bin/sh\n", ""},
		"a relative one":            {"a:x:7:7::home:/bin/sh\n", ""},
		"empty":                     {"", ""},
	} {
		if got := homeIn([]byte(tt.text), "7"); got != tt.want {
			t.Errorf("%s: got %q, want %q", name, got, tt.want)
		}
	}
}

// One cure, and not one for each path that is looked for.
func TestWithoutAnyHomeTheOneCureCures(t *testing.T) {
	passwd(t, "somebody:x:999999:0::/nowhere:/bin/sh\n")
	setEnv(t, map[string]string{api.EnvSocket: "/a/s.sock", api.EnvConfig: "/a/c.toml"})
	_, err := Socket()
	e := api.AsError(err)
	if err == nil || e.Code != api.BadRequest || !strings.HasPrefix(e.Message, "HOME is not set, and ") {
		t.Fatalf("a daemon that would end at once: got %v", err)
	}
	for _, find := range []func() (string, error){Socket, Config, Home} {
		setEnv(t, nil)
		if _, err := find(); api.CodeOf(err) != api.BadRequest && runtimeDir() == "" {
			t.Errorf("got %v", err)
		}
		value := strings.TrimPrefix(strings.Split(e.Hint, ",")[0], "export HOME=")
		setEnv(t, map[string]string{envHome: value})
		if _, err := find(); err != nil && runtime.GOOS != "darwin" { // whose value the shell finds out
			t.Errorf("after %q: %v", e.Hint, err)
		}
	}
}

// A client of a daemon that runs needs no home: only its socket counts.
func TestWhereTheSocketIsThereNothingElseIsAskedFor(t *testing.T) {
	passwd(t, "")
	path := filepath.Join(t.TempDir(), "s.sock")
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	setEnv(t, map[string]string{api.EnvSocket: path, api.EnvConfig: "/a/c.toml"})
	for _, find := range []func() (string, error){Socket, Config} {
		if _, err := find(); err != nil {
			t.Error(err)
		}
	}
}
