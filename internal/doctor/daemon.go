package doctor

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/tcred/tcred/api"
	"github.com/tcred/tcred/internal/place"
	"github.com/tcred/tcred/internal/socket"
)

// socket looks at the path and at the directory, which decides who could answer in the daemon's place.
func (x *examination) socket() {
	path, err := place.Socket()
	if err != nil {
		x.failed("socket", err)
		return
	}
	switch err := socket.CheckDir(filepath.Dir(path)); {
	case errors.Is(err, fs.ErrNotExist):
		if err := canMakeBelow(filepath.Dir(path)); err != nil {
			x.fail("socket",
				"log in as this user, for a runtime directory, or set "+api.EnvSocket+
					" to a path in a directory of your own",
				"%s: its directory cannot be made: %v", path, err)
			return
		}
		x.ok("socket", "%s; its directory will be made when it is needed", path)
	case err != nil:
		x.failed("socket", err)
	default:
		x.ok("socket", "%s", path)
	}
}

// canMakeBelow tries to make a directory where dir would be made: in the nearest directory above it that is there.
func canMakeBelow(dir string) error {
	for isMissing(dir) {
		dir = filepath.Dir(dir)
	}
	try, err := os.MkdirTemp(dir, ".tcred-doctor")
	if err != nil {
		return err
	}
	return os.Remove(try)
}

func isMissing(path string) bool {
	_, err := os.Stat(path)
	return errors.Is(err, fs.ErrNotExist)
}

// daemon asks the one that runs, and starts none.
func (x *examination) daemon(ctx context.Context) {
	st, err := x.status(ctx)
	if errors.Is(err, socket.ErrNotListening) {
		x.ok("daemon", "none runs; the first tool that asks starts it")
		return
	}
	if api.CodeOf(err) == api.Timeout { // as where systemd listens and the service's daemon cannot start
		x.fail("daemon", "tcred service status, tcred logs", "%s", api.AsError(err).Message)
		return
	}
	if err != nil {
		x.failed("daemon", err)
		return
	}
	before := len(x.findings)
	if st.Version != api.Version {
		x.warn("daemon", "a restart is due: tcred service restart, or without a service tcred daemon stop",
			"it is version %s, this is %s", st.Version, api.Version)
	}
	if st.Config != x.places.Config {
		x.fail("daemon", "tcred daemon stop, or give one of them its own socket: "+api.EnvSocket,
			"it reads %s, this shell means %s", st.Config, x.places.Config)
	}
	if name := x.set.StoreName(); st.Keystore != "" && name != "" && st.Keystore != name {
		x.warn("daemon",
			"tcred daemon stop: the next call starts it by config.toml and "+api.EnvKeystore+" of its shell",
			"it uses keystore %q, this shell means %q", st.Keystore, name)
	}
	if st.Problem != nil {
		x.fail("daemon", "tcred check shows every problem", "it does not use the config on disk: %s", st.Problem.Detail)
	}
	for _, p := range st.Profiles {
		if p.LastError != nil {
			x.warn("daemon", p.LastError.Hint, "profile %q failed last: %s", p.Name, p.LastError.Detail)
		}
	}
	if len(x.findings) == before {
		x.ok("daemon", "version %s runs as process %d", st.Version, st.PID)
	}
}

// helper looks for the binary that tools run. It starts the tcred beside itself, so the two belong in one directory.
func (x *examination) helper(ctx context.Context) {
	const cure = "install both from one build into one directory: go install ./... in a checkout"
	self, err := os.Executable()
	if err == nil {
		self, err = filepath.EvalSymlinks(self)
	}
	if err != nil {
		x.warn("helper", cure, "cannot tell where this tcred is: %v", err)
		return
	}
	path := filepath.Join(filepath.Dir(self), "tcred-helper"+strings.ToLower(filepath.Ext(self)))
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	out, err := exec.CommandContext(ctx, path, "--version").Output()
	switch version := strings.TrimPrefix(strings.TrimSpace(string(out)), "tcred-helper "); {
	case errors.Is(err, fs.ErrNotExist):
		x.warn("helper", cure, "there is no %s beside this tcred", path)
	case err != nil:
		x.fail("helper", cure, "%s does not run: %v", path, err)
	case version != api.Version:
		x.warn("helper", cure, "%s is version %s, this is %s", path, version, api.Version)
	default:
		x.ok("helper", "%s", path)
	}
}
