package cli

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
func (d *doctor) socket() {
	path, err := place.Socket()
	if err != nil {
		d.failed("socket", err)
		return
	}
	switch err := socket.CheckDir(filepath.Dir(path)); {
	case errors.Is(err, fs.ErrNotExist):
		if err := canMakeBelow(filepath.Dir(path)); err != nil {
			d.fail("socket", "log in as this user, for a runtime directory, or set "+api.EnvSocket+" to a path in a directory of your own",
				"%s: its directory cannot be made: %v", path, err)
			return
		}
		d.ok("socket", "%s; its directory will be made when it is needed", path)
	case err != nil:
		d.failed("socket", err)
	default:
		d.ok("socket", "%s", path)
	}
}

// canMakeBelow tries to make something where dir would be made: in what of the directories above it is there.
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
func (d *doctor) daemon(ctx context.Context) {
	st, err := daemonStatus(ctx)
	if errors.Is(err, socket.ErrNotListening) {
		d.ok("daemon", "none runs; the first tool that asks starts it")
		return
	}
	if api.CodeOf(err) == api.Timeout { // so it is where a service's daemon cannot start: systemd listens, nobody answers
		d.fail("daemon", "tcred service status, tcred logs", "%s", api.AsError(err).Message)
		return
	}
	if err != nil {
		d.failed("daemon", err)
		return
	}
	before := len(d.findings)
	if st.Version != api.Version {
		d.warn("daemon", "a restart is due: tcred service restart, or without a service tcred daemon stop", "it is version %s, this is %s", st.Version, api.Version)
	}
	if st.Config != d.paths.Config {
		d.fail("daemon", "tcred daemon stop, or give one of them its own socket: "+api.EnvSocket, "it reads %s, this shell means %s", st.Config, d.paths.Config)
	}
	if st.Problem != nil {
		d.fail("daemon", "tcred check shows every problem", "it does not use the config on disk: %s", st.Problem.Detail)
	}
	for _, p := range st.Profiles {
		if p.LastError != nil {
			d.warn("daemon", p.LastError.Hint, "profile %q failed last: %s", p.Name, p.LastError.Detail)
		}
	}
	if len(d.findings) == before {
		d.ok("daemon", "version %s runs as process %d", st.Version, st.PID)
	}
}

// helper looks for the binary that tools run. It starts the tcred beside itself, so the two belong in one directory.
func (d *doctor) helper(ctx context.Context) {
	const cure = "install both from one build into one directory: go install ./... in a checkout"
	self, err := os.Executable()
	if err == nil {
		self, err = filepath.EvalSymlinks(self)
	}
	if err != nil {
		d.warn("helper", cure, "cannot tell where this tcred is: %v", err)
		return
	}
	path := filepath.Join(filepath.Dir(self), "tcred-helper"+strings.ToLower(filepath.Ext(self)))
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	out, err := exec.CommandContext(ctx, path, "--version").Output()
	switch version := strings.TrimPrefix(strings.TrimSpace(string(out)), "tcred-helper "); {
	case errors.Is(err, fs.ErrNotExist):
		d.warn("helper", cure, "there is no %s beside this tcred", path)
	case err != nil:
		d.fail("helper", cure, "%s does not run: %v", path, err)
	case version != api.Version:
		d.warn("helper", cure, "%s is version %s, this is %s", path, version, api.Version)
	default:
		d.ok("helper", "%s", path)
	}
}
