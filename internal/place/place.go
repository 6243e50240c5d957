// Package place says where the daemon's socket and config.toml are; package dirs below it knows the directories.
//
// The helper asks it on each call, so it uses nothing that package os does not need anyway. What that saves is small,
// and measured: fmt, strings, strconv and path/filepath would make the helper's run 2 to 4 % longer, 0.04 to 0.08 ms.
// The request itself takes about 0.40 ms.
package place

import (
	"os"

	"github.com/tcred/tcred/api"
	"github.com/tcred/tcred/internal/human"
	"github.com/tcred/tcred/internal/socket"
)

// Socket is where the daemon listens: $TCRED_SOCKET, else $XDG_RUNTIME_DIR/tcred/tcred.sock, else
// /run/user/<euid>/tcred/tcred.sock if that directory is ours alone, else <user cache dir>/tcred/run/tcred.sock.
// The path is absolute. Its directory need not exist: see socket.MakeDir and socket.CheckDir.
func Socket() (string, error) {
	if err := checkHome(); err != nil {
		return "", err
	}
	path, err := findSocket()
	if err != nil {
		return "", err
	}
	return path, socket.CheckLength(path)
}

func findSocket() (string, error) {
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

// Config is where the config file is: $TCRED_CONFIG, else $XDG_CONFIG_HOME/tcred/config.toml, else
// ~/.config/tcred/config.toml, on macOS too. The path is absolute; the file need not exist.
func Config() (string, error) {
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
			Code: api.BadRequest, Message: what + " is not an absolute path: " + human.Quote(path),
			Hint: "write the whole path, from the root on",
		}
	}
	for i := 0; i < len(path); i++ {
		if path[i] < ' ' || path[i] == 0x7f {
			return badSetting(what + " holds a control character: " + human.Quote(path))
		}
	}
	return nil
}

func badSetting(message string) error {
	return &api.Error{Code: api.BadRequest, Message: message, Hint: "set HOME, or " + api.EnvSocket + " and " + api.EnvConfig}
}
