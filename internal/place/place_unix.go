//go:build unix

package place

import (
	"os"
	"path"
	"runtime"

	"github.com/tcred/tcred/api"
	"github.com/tcred/tcred/internal/human"
	"github.com/tcred/tcred/internal/socket"
)

const onWindows = false

// passwdFile is where users without HOME are looked up. Users of a directory service are not in it, and macOS has
// only those of the system there.
var passwdFile = "/etc/passwd"

// passwdHome is the home directory that passwdFile has for this user, "" if it has none.
func passwdHome() string {
	text, err := os.ReadFile(passwdFile)
	if err != nil {
		return ""
	}
	return homeIn(text, human.Itoa(os.Geteuid(), 10))
}

// homeIn is the home directory of uid in the text of a passwd file: name:password:uid:gid:comment:home:shell.
func homeIn(passwd []byte, uid string) string {
	for len(passwd) > 0 {
		var line []byte
		line, passwd = cut(passwd, '\n')
		var fields [7][]byte
		for i := range fields {
			fields[i], line = cut(line, ':')
		}
		if home := string(fields[5]); string(fields[2]) == uid && checkText("", home) == nil {
			return clean(home)
		}
	}
	return ""
}

// cut splits text at its first sep.
func cut(text []byte, sep byte) (before, after []byte) {
	for i, c := range text {
		if c == sep {
			return text[:i], text[i+1:]
		}
	}
	return text, nil
}

func noHome() error {
	uid := human.Itoa(os.Geteuid(), 10)
	hint := "export HOME=/tmp/home-" + uid + ", or another directory of your own"
	if runtime.GOOS == "darwin" {
		hint = "export HOME=$(eval echo ~$(id -un))"
	}
	return badSetting("HOME is not set, and "+passwdFile+" has no home directory for uid "+uid, hint)
}

// userCache is os.UserCacheDir, which knows no home directory but HOME, and the variable that it comes from.
func userCache() (dir, variable string, err error) {
	if runtime.GOOS != "darwin" {
		if dir, err = fromEnv(envCache); dir != "" || err != nil {
			return dir, envCache, err
		}
	}
	home, err := Home()
	return join(home, below(envCache)), envHome, err
}

// below is where the variable's directory is in the home directory while it is not set.
func below(variable string) string {
	switch mac := runtime.GOOS == "darwin"; {
	case mac && variable == envCache:
		return "Library/Caches"
	case mac:
		return "Library/Application Support"
	case variable == envCache:
		return ".cache"
	case variable == envState:
		return ".local/state"
	}
	return ".local/share"
}

// checkDaemon says why a daemon that is started in this environment would end at once. It looks at the directories of
// package dirs, which needs more than the helper may import.
func checkDaemon() error {
	for _, name := range []string{envCache, envState, envData} {
		dir := os.Getenv(name)
		if isAbs(dir) {
			dir = join(dir, "tcred")
		}
		if own := os.Getenv(api.EnvCacheDir); name == envCache && isAbs(own) {
			name, dir = api.EnvCacheDir, clean(own)
		}
		if !isAbs(dir) {
			home, err := Home()
			if err != nil {
				return err
			}
			name, dir = envHome, join(home, below(name), "tcred")
		}
		if err := CheckOwner(name, dir); err != nil {
			return err
		}
	}
	return nil
}

// runtimeDir is /run/user/<euid> if that is a directory of ours alone, else "": cron, su and containers leave
// XDG_RUNTIME_DIR unset whether or not the directory is there.
func runtimeDir() string {
	dir := "/run/user/" + human.Itoa(os.Geteuid(), 10)
	if socket.CheckDir(dir) != nil {
		return ""
	}
	return dir
}

func isAbs(name string) bool { return path.IsAbs(name) }

func join(dir string, names ...string) string { return path.Join(append([]string{dir}, names...)...) }

func parent(name string) string { return path.Dir(name) }

func clean(name string) string { return path.Clean(name) }
