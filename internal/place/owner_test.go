//go:build unix

package place

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tcred/tcred/api"
)

// another is the uid of another user.
const another = 12345

// foreign is a directory of another user's, in one of root's.
func foreign(t *testing.T) string {
	t.Helper()
	if os.Geteuid() != 0 {
		if os.Getenv("TCRED_TEST_REAL") == "1" {
			t.Fatal("TCRED_TEST_REAL=1, but only root can give a directory away")
		}
		t.Skip("only root can give a directory away")
	}
	dir := filepath.Join(t.TempDir(), "theirs")
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Chown(dir, another, another); err != nil {
		t.Fatal(err)
	}
	return dir
}

// steered is every path that a variable leads to.
func steered() error {
	if _, err := Socket(); err != nil {
		return err
	}
	_, err := Config()
	return err
}

func TestRootMakesNothingInAnotherUsersDirectory(t *testing.T) {
	theirs, own := foreign(t), t.TempDir()
	link := filepath.Join(own, "link")
	mine := filepath.Join(theirs, "mine")
	if err := os.Symlink(theirs, link); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(mine, 0o700); err != nil { // which they can move away
		t.Fatal(err)
	}
	for _, name := range []string{api.EnvSocket, api.EnvCacheDir, envRuntime, envConfig, envCache, envState, envData, envHome} {
		for _, dir := range []string{theirs, theirs + "/deep/er", link + "/x", mine} {
			value := dir
			if name == api.EnvSocket {
				value = dir + "/s"
			}
			vars := map[string]string{envHome: own}
			vars[name] = value
			setEnv(t, vars)
			e := api.AsError(steered())
			if e == nil || e.Code != api.Forbidden || !strings.HasPrefix(e.Message, "this is root, but "+name+" is ") ||
				!strings.Contains(e.Message, "belongs to uid 12345") || !strings.Contains(e.Hint, name) {
				t.Errorf("%s=%s: got %+v", name, value, e)
			}
		}
	}
}

// A container job: HOME belongs to the runner's user, and tcred is told other places.
func TestRootWithAnotherUsersHomeThatNothingIsTakenFromIsLetBe(t *testing.T) {
	theirs, own := foreign(t), t.TempDir()
	for name, vars := range map[string]map[string]string{
		"variables of XDG": {envRuntime: own, envConfig: own, envCache: own, envState: own, envData: own},
		"and of tcred": {
			api.EnvSocket: own + "/s", api.EnvConfig: own + "/c.toml", api.EnvCacheDir: own, envState: own, envData: own,
		},
		"a config that is only read": {
			api.EnvSocket: own + "/s", api.EnvConfig: theirs + "/c.toml", api.EnvCacheDir: own, envState: own, envData: own,
		},
	} {
		vars[envHome] = theirs
		setEnv(t, vars)
		if err := steered(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if err := CheckConfigDir(); (err != nil) != strings.HasPrefix(vars[api.EnvConfig], theirs+"/") {
			t.Errorf("%s: config.toml may be made: %v", name, err)
		}
	}
}

func TestOneCureForAllVariablesThatLeadToAnotherUser(t *testing.T) {
	theirs, own := foreign(t), t.TempDir()
	passwd(t, "root:x:0:0:root:"+own+":/bin/sh\n")
	setEnv(t, map[string]string{
		envRuntime: theirs, envState: theirs + "/state", envCache: own, api.EnvConfig: theirs + "/c.toml", envHome: theirs,
	})
	e := api.AsError(steered())
	want := "run it as that user, or as root: unset XDG_RUNTIME_DIR XDG_STATE_HOME; export HOME=" + own
	if e == nil || e.Hint != want {
		t.Fatalf("got  %+v\nwant %s", e, want)
	}
	t.Setenv(envRuntime, "")
	t.Setenv(envState, "")
	t.Setenv(envHome, own)
	if err := steered(); err != nil {
		t.Errorf("after the cure: %v", err)
	}
}
