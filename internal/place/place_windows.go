package place

import (
	"os"
	"path/filepath"
)

// onWindows: folders are known without HOME, and access lists keep others out of them.
const onWindows = true

func checkDaemon() error { return nil }

// CheckOwner finds nothing wrong on Windows.
func CheckOwner(variable, dir string) error { return nil }

func passwdHome() string { return "" }

func noHome() error { return nil }

func userCache() (dir, variable string, err error) {
	dir, err = os.UserCacheDir()
	if err != nil {
		return "", "", badSetting("no place for the socket: "+err.Error(), "set LocalAppData")
	}
	return dir, "", checkText("the user cache directory", dir)
}

func runtimeDir() string { return "" }

func isAbs(name string) bool { return filepath.IsAbs(name) }

func join(dir string, names ...string) string {
	return filepath.Join(append([]string{dir}, names...)...)
}

func parent(name string) string { return filepath.Dir(name) }

func clean(name string) string { return filepath.Clean(name) }
