package config

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"sync"

	"github.com/adrg/xdg"

	"github.com/tcred/tcred/api"
)

// CacheDir is where sealed credentials are kept: $TCRED_CACHE_DIR, else tcred under the user's cache directory.
func CacheDir() (string, error) {
	if dir := os.Getenv(api.EnvCacheDir); dir != "" {
		if !filepath.IsAbs(dir) {
			return "", &api.Error{
				Code: api.ConfigInvalid, Message: fmt.Sprintf("%s %q is not an absolute path", api.EnvCacheDir, dir),
				Hint: "the daemon and its clients run in different directories",
			}
		}
		return filepath.Clean(dir), nil
	}
	return under("XDG_CACHE_HOME", &xdg.CacheHome)
}

// StateDir is where log, key index and audit are kept: tcred under $XDG_STATE_HOME, else ~/.local/state.
// On macOS it is under ~/Library/Application Support, which is not for the user to edit, as config.toml is.
func StateDir() (string, error) { return under("XDG_STATE_HOME", &xdg.StateHome) }

// FileKeystoreDir is where the file keystore keeps its keys: tcred/keys under $XDG_DATA_HOME, else ~/.local/share.
// On macOS it is under ~/Library/Application Support.
func FileKeystoreDir() (string, error) {
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
	homeless := runtime.GOOS != "windows" && os.Getenv("HOME") == "" // xdg would take the root directory
	if *base == "" || homeless && !filepath.IsAbs(os.Getenv(variable)) {
		return "", &api.Error{
			Code: api.ConfigInvalid, Message: "HOME is not set, so tcred's directories are nowhere",
			Hint: "set HOME, or " + variable + " to an absolute path",
		}
	}
	return filepath.Join(*base, "tcred"), nil
}
