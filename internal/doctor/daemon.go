package doctor

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
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
			x.fail("socket", "log in as this user, for a runtime directory, or "+elsewhere,
				"%s: its directory cannot be made: %v", path, err)
			return
		}
		x.ok("socket", "%s; its directory will be made when it is needed", path)
	case err != nil:
		e := api.AsError(err)
		x.fail("socket", cmp.Or(e.Hint, elsewhere), "%s", e.Message)
	default:
		if err := canWrite(filepath.Dir(path)); err != nil {
			x.fail("socket", "mend that, or "+elsewhere,
				"%s: no daemon could listen there: %v", path, err)
			return
		}
		x.ok("socket", "%s", path)
	}
}

// canWrite tries to write as much as an entry of the cache in a directory: on a full disk an empty file can still be
// made.
func canWrite(dir string) error {
	f, err := os.CreateTemp(dir, ".doctor-*")
	if err != nil {
		return err
	}
	_, err = f.Write(make([]byte, 4096))
	return errors.Join(err, f.Close(), os.Remove(f.Name()))
}

// elsewhere is what cures a place for the socket that cannot be cured.
const elsewhere = "set " + api.EnvSocket + " to a path in a directory of your own"

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
		x.fail("daemon", "tcred daemon stop, which ends it; of a service tcred service status and tcred logs say more",
			"%s", api.AsError(err).Message)
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
	if !sameConfig(st.Config, x.places.Config) {
		x.fail("daemon", "for a daemon of its own, beside that one: export "+api.EnvSocket+"="+
			socket.Beside(st.Socket, x.places.Config),
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
	x.ofDaemon(st)
	if len(x.findings) == before {
		x.ok("daemon", "version %s runs as process %d", st.Version, st.PID)
	}
}

// sameConfig is as the daemon compares where both are there: one file may have two names.
func sameConfig(a, b string) bool {
	ofA, errA := os.Stat(a)
	ofB, errB := os.Stat(b)
	return a == b || errA == nil && errB == nil && os.SameFile(ofA, ofB)
}

// ofDaemon notes what a daemon says is wrong, except what the other checks say of this process too.
func (x *examination) ofDaemon(st api.Status) {
	if p := st.KeystoreProblem; p != nil && p.Code != api.KeystoreLocked && st.Keystore != "" {
		x.warn("daemon", p.Hint, "it cannot read keys: %s", p.Detail)
	}
	if st.CacheProblem != "" && !x.said("cache") {
		x.warn("daemon", "is the disk full or read-only?", "it keeps new credentials in memory only: %s", st.CacheProblem)
	}
	st.KeystoreProblem = nil
	for _, f := range Faults(st) {
		if f.Problem.Code == api.KeystoreLocked && x.said("keystore") {
			continue
		}
		what := "profile"
		if len(f.Of) > 1 {
			what = "each of the profiles"
		}
		x.warn("daemon", f.Problem.Hint, "%s %s failed last: %s", what, quoted(f.Of), f.Problem.Detail)
	}
}

// said reports whether a check ended with anything but ok.
func (x *examination) said(check string) bool {
	return slices.ContainsFunc(x.findings, func(f Finding) bool { return f.Check == check && f.Level != OK })
}

func quoted(names []string) string {
	var list []string
	for _, name := range names {
		list = append(list, fmt.Sprintf("%q", name))
	}
	return strings.Join(list, ", ")
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
