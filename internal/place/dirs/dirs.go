// Package dirs says where the directories of one user's tcred are, and what lies in them.
package dirs

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"sync"

	"github.com/adrg/xdg"

	"github.com/tcred/tcred/api"
	"github.com/tcred/tcred/internal/place"
)

// Places are those of one user's tcred. Every path is absolute.
type Places struct {
	Config string // config.toml
	Cache  string // directory of sealed credentials
	State  string // directory of the log and the key index
	Keys   string // directory of the file keystore
}

// Find is the Places that this environment says. Nothing there need exist.
func Find() (p Places, err error) {
	if p.Config, err = place.Config(); err != nil {
		return Places{}, err
	}
	if p.Cache, err = Cache(); err != nil {
		return Places{}, err
	}
	if p.State, err = State(); err != nil {
		return Places{}, err
	}
	if p.Keys, err = Keys(); err != nil {
		return Places{}, err
	}
	return p, nil
}

// Index is the key index.
func (p Places) Index() string { return filepath.Join(p.State, "keys.json") }

// Log is the log of a daemon that a helper started; the one before it is <Log>.1.
func (p Places) Log() string { return filepath.Join(p.State, "daemon.log") }

// Cache is where sealed credentials are kept: $TCRED_CACHE_DIR, else tcred under the user's cache directory.
func Cache() (string, error) {
	if dir := os.Getenv(api.EnvCacheDir); dir != "" {
		if !filepath.IsAbs(dir) {
			return "", &api.Error{
				Code: api.ConfigInvalid, Message: fmt.Sprintf("%s %q is not an absolute path", api.EnvCacheDir, dir),
				Hint: "the daemon and its clients run in different directories",
			}
		}
		return owned(api.EnvCacheDir, filepath.Clean(dir))
	}
	return under("XDG_CACHE_HOME", &xdg.CacheHome)
}

// State is where log, key index and audit are kept: tcred under $XDG_STATE_HOME, else ~/.local/state.
// On macOS it is under ~/Library/Application Support, which is not for the user to edit, as config.toml is.
func State() (string, error) { return under("XDG_STATE_HOME", &xdg.StateHome) }

// Keys is where the file keystore keeps its keys: tcred/keys under $XDG_DATA_HOME, else ~/.local/share.
// On macOS it is under ~/Library/Application Support.
func Keys() (string, error) {
	dir, err := under("XDG_DATA_HOME", &xdg.DataHome)
	if err != nil {
		return "", err
	}
	return filepath.Join(dir, "keys"), nil
}

// environment is held while package xdg reads the environment into its variables.
var environment sync.Mutex

// under is tcred's directory in one of package xdg's, which variable sets.
func under(variable string, base *string) (string, error) {
	environment.Lock()
	defer environment.Unlock()
	xdg.Reload()
	dir := filepath.Join(*base, "tcred")
	if filepath.IsAbs(os.Getenv(variable)) || runtime.GOOS == "windows" { // which knows its folders without HOME
		return owned(variable, dir)
	}
	home, err := place.Home()
	if err != nil {
		return "", err
	}
	if os.Getenv("HOME") == "" { // package xdg takes / for it
		dir = filepath.Join(home, dir)
	}
	return owned("HOME", dir)
}

// owned is dir, to which variable led, if it is not another user's.
func owned(variable, dir string) (string, error) {
	if err := place.CheckOwner(variable, dir); err != nil {
		return "", err
	}
	return dir, nil
}
