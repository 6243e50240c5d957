// Package release builds everything that a release of tcred consists of. The same source and the same Go give the same
// bytes, wherever it runs. README.md says what a release consists of, and how to build one.
package release

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
)

// release is one being built.
type release struct {
	root    string // of the source
	out     string // what is published
	stage   string // a temporary directory for what that is made of
	version string // 1.2.0, without the v of the tag
	time    time.Time
	targets []target
	built   []built
}

// built is a target with its directory in the stage, named as it unpacks: tcred-1.2.0-linux-amd64.
type built struct {
	target
	dir string
}

// Run builds a release into the directory out; another release in it is lost. The version is git's where it is "",
// the time of all files $SOURCE_DATE_EPOCH, or else the commit's. only names the one target to build, such as
// linux-amd64, and leaves out the Homebrew formula; "" is all.
func Run(ctx context.Context, out, version, only string) error {
	module, err := output(ctx, ".", "go", "env", "GOMOD")
	if err != nil {
		return err
	}
	r := &release{root: filepath.Dir(module), targets: targets}
	if only != "" {
		r.targets = slices.DeleteFunc(slices.Clone(targets), func(t target) bool { return t.String() != only })
		if len(r.targets) == 0 {
			return fmt.Errorf("no target %q; there are %s", only, targets)
		}
	}
	if r.out, err = filepath.Abs(out); err != nil {
		return err
	}
	if r.version, err = r.findVersion(ctx, version); err != nil {
		return err
	}
	if r.time, err = r.findTime(ctx); err != nil {
		return err
	}
	if r.stage, err = os.MkdirTemp("", "tcred-release"); err != nil {
		return err
	}
	defer os.RemoveAll(r.stage)
	return r.make(ctx)
}

// make goes from step to step.
func (r *release) make(ctx context.Context) error {
	if err := emptyDir(r.out); err != nil {
		return err
	}
	steps := []struct {
		what string
		do   func(context.Context) error
	}{
		{"man pages and completions", r.documents},
		{"binaries", r.binaries},
		{"archives", r.archives},
		{"packages", r.packages},
		{"SBOM", r.writeSBOM},
		{"Homebrew formula", r.writeFormula},
		{"checksums", r.writeSums},
	}
	for _, step := range steps {
		fmt.Fprintf(os.Stderr, "release: %s %s\n", r.version, step.what)
		if err := step.do(ctx); err != nil {
			return fmt.Errorf("%s: %w", step.what, err)
		}
	}
	return nil
}

// emptyDir makes dir, or removes another release from it. If something else is in it, that stays and is an error.
func emptyDir(dir string) error {
	entries, err := os.ReadDir(dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	isRelease := slices.ContainsFunc(entries, func(e fs.DirEntry) bool { return e.Name() == sums })
	if len(entries) > 0 && !isRelease {
		return fmt.Errorf("%s holds something else than a release: remove it, or choose another --out", dir)
	}
	if err := os.RemoveAll(dir); err != nil {
		return err
	}
	return os.MkdirAll(dir, 0o755)
}

func (r *release) findTime(ctx context.Context) (time.Time, error) {
	seconds := os.Getenv("SOURCE_DATE_EPOCH")
	if seconds == "" {
		var err error
		if seconds, err = output(ctx, r.root, "git", "log", "-1", "--format=%ct"); err != nil {
			return time.Time{}, fmt.Errorf("no $SOURCE_DATE_EPOCH, and %w", err)
		}
	}
	n, err := strconv.ParseInt(seconds, 10, 64)
	if err != nil {
		return time.Time{}, fmt.Errorf("reading SOURCE_DATE_EPOCH: %w", err)
	}
	return time.Unix(n, 0).UTC(), nil
}

// output is what a command prints, without the last line's end.
func output(ctx context.Context, dir, name string, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir = dir
	cmd.Stderr = os.Stderr
	text, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("running %s %s: %w", name, strings.Join(args, " "), err)
	}
	return strings.TrimSpace(string(text)), nil
}
