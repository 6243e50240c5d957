package dirs

import (
	"os/user"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"

	"github.com/tcred/tcred/api"
)

func TestDirectoriesFollowTheEnvironment(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("paths of unix")
	}
	t.Setenv("HOME", "/home/u")
	for _, name := range []string{"XDG_CACHE_HOME", "XDG_STATE_HOME", "XDG_DATA_HOME", api.EnvCacheDir} {
		t.Setenv(name, "")
	}
	if runtime.GOOS == "linux" {
		expectDir(t, Cache, "/home/u/.cache/tcred")
		expectDir(t, State, "/home/u/.local/state/tcred")
		expectDir(t, Keys, "/home/u/.local/share/tcred/keys")
	}
	t.Setenv("XDG_CACHE_HOME", "/c")
	t.Setenv("XDG_STATE_HOME", "/s")
	t.Setenv("XDG_DATA_HOME", "/d")
	expectDir(t, Cache, "/c/tcred")
	expectDir(t, State, "/s/tcred")
	expectDir(t, Keys, "/d/tcred/keys")
	t.Setenv(api.EnvCacheDir, "/x/./y")
	expectDir(t, Cache, "/x/y")
}

func TestDirectoriesAreNeverTakenFromNowhere(t *testing.T) {
	t.Setenv(api.EnvCacheDir, "cache")
	if _, err := Cache(); err == nil || !strings.Contains(err.Error(), "not an absolute path") {
		t.Errorf("relative %s: %v", api.EnvCacheDir, err)
	}
	if runtime.GOOS == "windows" {
		t.Skip("Windows knows its folders without HOME")
	}
	t.Setenv("HOME", "relative")
	t.Setenv("XDG_STATE_HOME", "relative")
	if dir, err := State(); err == nil || !strings.Contains(err.Error(), "not an absolute path") {
		t.Errorf("with a relative HOME: %q, %v", dir, err)
	}
	t.Setenv("XDG_STATE_HOME", "/s")
	expectDir(t, State, "/s/tcred")
}

func TestWithoutHomeDirectoriesAreInTheHomeOfThePasswdFile(t *testing.T) {
	me, err := user.Current()
	if err != nil || runtime.GOOS != "linux" {
		t.Skip("needs Linux and a user in /etc/passwd: ", err)
	}
	for _, name := range []string{"HOME", "XDG_CACHE_HOME", "XDG_STATE_HOME", "XDG_DATA_HOME", api.EnvCacheDir} {
		t.Setenv(name, "")
	}
	expectDir(t, Cache, me.HomeDir+"/.cache/tcred")
	expectDir(t, State, me.HomeDir+"/.local/state/tcred")
	expectDir(t, Keys, me.HomeDir+"/.local/share/tcred/keys")
	t.Setenv("XDG_STATE_HOME", "/s")
	expectDir(t, State, "/s/tcred")
}

func TestDirectoriesMayBeAskedForAtOnce(t *testing.T) {
	t.Setenv("HOME", t.TempDir())
	var wg sync.WaitGroup
	for range 20 {
		wg.Go(func() {
			_, _ = State()
			_, _ = Keys()
		})
	}
	wg.Wait()
}

func expectDir(t *testing.T, find func() (string, error), want string) {
	t.Helper()
	if got, err := find(); err != nil || got != filepath.FromSlash(want) {
		t.Errorf("got %q, %v, want %q", got, err, want)
	}
}
