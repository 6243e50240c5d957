// Command release builds all that a release of tcred consists of, byte for byte the same wherever it runs with the
// same Go:
//
//	go run ./packaging/release [--out dist] [--version 1.2.0]
//
// packaging/README.md says what that is. The version is git's unless it is given; the time of all files is
// $SOURCE_DATE_EPOCH, or else the commit's.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

func main() {
	out := flag.String("out", "dist", "directory of the files that are made; what is in it is lost")
	version := flag.String("version", "", "such as 1.2.0; else what git describe says")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, *out, *version); err != nil {
		fmt.Fprintln(os.Stderr, "release:", err)
		os.Exit(1)
	}
}

// release is one being built.
type release struct {
	root    string // of the source
	out     string // what is published
	stage   string // what that is made of, for a while
	version string // 1.2.0, without the v of the tag
	time    time.Time
	built   []built
}

// built is a target with its directory in the stage, named as it unpacks: tcred-1.2.0-linux-amd64.
type built struct {
	target
	dir string
}

func run(ctx context.Context, out, version string) error {
	module, err := output(ctx, ".", "go", "env", "GOMOD")
	if err != nil {
		return err
	}
	r := &release{root: filepath.Dir(module)}
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

// emptyDir makes dir, or empties it.
func emptyDir(dir string) error {
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
