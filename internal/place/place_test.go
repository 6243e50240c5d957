//go:build unix

package place

import (
	"os"
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
	for _, name := range []string{api.EnvSocket, api.EnvConfig, "XDG_RUNTIME_DIR", "XDG_CONFIG_HOME", "XDG_CACHE_HOME", "HOME"} {
		t.Setenv(name, vars[name])
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
		{"the runtime directory", map[string]string{"XDG_RUNTIME_DIR": "/r"}, "/r/tcred/tcred.sock"},
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

func TestRootDoesNotUseAnotherUsersHome(t *testing.T) {
	if err := checkHomeOwner("/root", 0); err != nil {
		t.Error(err)
	}
	err := checkHomeOwner("/home/alice", 1000)
	if api.CodeOf(err) != api.Forbidden || !strings.Contains(err.Error(), `"/home/alice"`) {
		t.Errorf("got %v", err)
	}
	if os.Geteuid() != 0 {
		return
	}
	home := t.TempDir()
	if err := os.Chown(home, 12345, 12345); err != nil {
		t.Fatal(err)
	}
	setEnv(t, map[string]string{"HOME": home, api.EnvSocket: "/a/s", api.EnvConfig: "/a/c"})
	for _, find := range []func() (string, error){Socket, Config} {
		if _, err := find(); api.CodeOf(err) != api.Forbidden {
			t.Errorf("got %v", err)
		}
	}
}
