// Package socket finds the daemon's socket, decides whether to trust it, connects, and starts the daemon.
//
// The helper is run on every call of every tool, so this package keeps to what package os needs anyway:
// net, fmt and path/filepath would cost that process more than the request itself.
package socket

import (
	"os"
	"syscall"

	"github.com/tcred/tcred/api"
)

// maxPath is how many bytes of path fit a socket's address: 107 on Linux, 103 on macOS.
const maxPath = len(syscall.RawSockaddrUnix{}.Path) - 1

// Path is where the daemon listens: $TCRED_SOCKET, else $XDG_RUNTIME_DIR/tcred/tcred.sock, else
// /run/user/<euid>/tcred/tcred.sock if that directory is ours alone, else <user cache dir>/tcred/run/tcred.sock.
// The path is absolute. Its directory need not exist: see [MakeDir] and [CheckDir].
func Path() (string, error) {
	if err := checkHome(); err != nil {
		return "", err
	}
	path, err := findPath()
	if err != nil {
		return "", err
	}
	return path, checkLength(path)
}

func findPath() (string, error) {
	if path, err := fromEnv(api.EnvSocket); path != "" || err != nil {
		return path, err
	}
	dir, err := fromEnv("XDG_RUNTIME_DIR")
	if err != nil {
		return "", err
	}
	if dir == "" {
		dir = runtimeDir()
	}
	if dir != "" {
		return join(dir, "tcred", "tcred.sock"), nil
	}
	dir, err = os.UserCacheDir()
	if err != nil {
		return "", badSetting("no place for the socket: " + err.Error())
	}
	return join(dir, "tcred", "run", "tcred.sock"), checkText("the user cache directory", dir)
}

// ConfigPath is where the config file is: $TCRED_CONFIG, else $XDG_CONFIG_HOME/tcred/config.toml, else
// ~/.config/tcred/config.toml, on macOS too. The path is absolute; the file need not exist.
func ConfigPath() (string, error) {
	if err := checkHome(); err != nil {
		return "", err
	}
	if path, err := fromEnv(api.EnvConfig); path != "" || err != nil {
		return path, err
	}
	dir, err := fromEnv("XDG_CONFIG_HOME")
	if err != nil {
		return "", err
	}
	if dir == "" {
		home, err := os.UserHomeDir()
		if err != nil {
			return "", badSetting("no place for config.toml: " + err.Error())
		}
		if err := checkText("the home directory", home); err != nil {
			return "", err
		}
		dir = join(home, ".config")
	}
	return join(dir, "tcred", "config.toml"), nil
}

// fromEnv is the path in an environment variable, "" if it is not set. A relative one is refused, not made
// absolute: the daemon inherits the variable but runs in /, where the same text would be another path.
func fromEnv(name string) (string, error) {
	path := os.Getenv(name)
	if path == "" {
		return "", nil
	}
	if err := checkText("$"+name, path); err != nil {
		return "", err
	}
	return clean(path), nil
}

// checkText refuses a path that is relative, or that could not stand in an HTTP header or on one line.
func checkText(what, path string) error {
	if !isAbs(path) {
		return &api.Error{
			Code: api.BadRequest, Message: what + " is not an absolute path: " + api.Quote(path),
			Hint: "write the whole path, from the root on",
		}
	}
	for i := 0; i < len(path); i++ {
		if path[i] < ' ' || path[i] == 0x7f {
			return badSetting(what + " holds a control character: " + api.Quote(path))
		}
	}
	return nil
}

func checkLength(path string) error {
	if len(path) <= maxPath {
		return nil
	}
	return &api.Error{
		Code:    api.BadRequest,
		Message: "the socket's path is " + itoa(len(path), 10) + " bytes long, the limit is " + itoa(maxPath, 10) + ": " + api.Quote(path),
		Hint:    "set " + api.EnvSocket + " to a shorter path in a directory of your own",
	}
}

func badSetting(message string) error {
	return &api.Error{Code: api.BadRequest, Message: message, Hint: "set HOME, or " + api.EnvSocket + " and " + api.EnvConfig}
}

func join(dir string, names ...string) string {
	for _, name := range names {
		dir += string(os.PathSeparator) + name
	}
	return clean(dir)
}

// dirOf is the directory of an absolute path.
func dirOf(path string) string {
	for i := len(path) - 1; i > 0; i-- {
		if os.IsPathSeparator(path[i]) {
			return path[:i]
		}
	}
	return string(os.PathSeparator)
}

// itoa writes n, which is not negative, in base 8 or 10.
func itoa(n, base int) string {
	if n < base {
		return string(rune('0' + n))
	}
	return itoa(n/base, base) + string(rune('0'+n%base))
}
