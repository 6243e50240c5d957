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
// The path is absolute. Its directory need not exist: see socket.MakeDir and socket.CheckDir. Where there is no socket
// a daemon has yet to be started: then what it would end of at once is an error here, where a person reads it.
func Socket() (string, error) {
	path, err := findSocket()
	if err != nil {
		return "", err
	}
	if err := socket.CheckLength(path); err != nil {
		return "", err
	}
	if _, err := os.Lstat(path); err != nil {
		return path, checkDaemon()
	}
	return path, nil
}

func findSocket() (string, error) {
	if path, err := fromEnv(api.EnvSocket); path != "" || err != nil {
		return checked(api.EnvSocket, path, parent(path), err)
	}
	dir, err := fromEnv(envRuntime)
	if dir != "" || err != nil {
		path := join(dir, "tcred", "tcred.sock")
		return checked(envRuntime, path, parent(path), err)
	}
	if dir = runtimeDir(); dir != "" {
		return join(dir, "tcred", "tcred.sock"), nil
	}
	dir, from, err := userCache()
	path := join(dir, "tcred", "run", "tcred.sock")
	return checked(from, path, parent(path), err)
}

// Config is where the config file is: $TCRED_CONFIG, else $XDG_CONFIG_HOME/tcred/config.toml, else
// ~/.config/tcred/config.toml, on macOS too. The path is absolute; the file need not exist.
func Config() (string, error) {
	if path, err := fromEnv(api.EnvConfig); path != "" || err != nil {
		return path, err // it is only read: whose it may be is package config's to say
	}
	dir, err := fromEnv(envConfig)
	if dir != "" || err != nil {
		return checked(envConfig, join(dir, "tcred", "config.toml"), join(dir, "tcred"), err)
	}
	home, err := Home()
	return checked(envHome, join(home, ".config", "tcred", "config.toml"), home, err)
}

// The variables of others that paths are taken from.
const (
	envHome    = "HOME"
	envRuntime = "XDG_RUNTIME_DIR"
	envConfig  = "XDG_CONFIG_HOME"
	envCache   = "XDG_CACHE_HOME"
	envState   = "XDG_STATE_HOME"
	envData    = "XDG_DATA_HOME"
)

// checked is path, which the variable led to, if there is no err yet and dir, where files of ours would be, may have
// them.
func checked(variable, path, dir string, err error) (string, error) {
	if err == nil {
		err = CheckOwner(variable, dir)
	}
	if err != nil {
		return "", err
	}
	return path, nil
}

// Home is the user's home directory: $HOME, else the one that /etc/passwd has for this user. The path is absolute.
// On macOS people are not in /etc/passwd: there the error says what to set.
func Home() (string, error) {
	home := os.Getenv(envHome)
	if home == "" && !onWindows {
		if home = passwdHome(); home == "" {
			return "", noHome()
		}
		return home, nil
	}
	home, err := os.UserHomeDir()
	if err != nil {
		return "", badSetting("no home directory: "+err.Error(), "set it")
	}
	return home, checkText("the home directory", home)
}

// CheckConfigDir refuses to have config.toml made in a directory of another user; see CheckOwner.
func CheckConfigDir() error {
	path, err := Config()
	if err != nil {
		return err
	}
	for _, name := range []string{api.EnvConfig, envConfig, envHome} {
		if os.Getenv(name) != "" {
			return CheckOwner(name, parent(path))
		}
	}
	return nil
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
		return badSetting(what+" is not an absolute path: "+human.Quote(path), "write the whole path, from the root on")
	}
	for i := 0; i < len(path); i++ {
		if path[i] < ' ' || path[i] == 0x7f {
			return badSetting(what+" holds a control character: "+human.Quote(path), "give it a path without one")
		}
	}
	return nil
}

func badSetting(message, hint string) error {
	return &api.Error{Code: api.BadRequest, Message: message, Hint: hint}
}
