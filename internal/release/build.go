package release

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
)

// target is what a binary runs on.
type target struct{ os, arch string }

// targets are all of a release. Windows is experimental: there is no daemon yet.
var targets = []target{
	{"linux", "amd64"}, {"linux", "arm64"}, {"darwin", "amd64"}, {"darwin", "arm64"}, {"windows", "amd64"},
}

func (t target) String() string { return t.os + "-" + t.arch }

// programs are the main packages by the name of their binary.
var programs = map[string]string{"tcred": ".", "tcred-helper": "./cmd/tcred-helper"}

func (t target) file(program string) string {
	if t.os == "windows" {
		return program + ".exe"
	}
	return program
}

// env is the environment in which Go builds for t. It overrides those of the caller's settings that change the bytes.
func (t target) env() []string {
	return append(os.Environ(), "GOOS="+t.os, "GOARCH="+t.arch, "CGO_ENABLED=0", "GOAMD64=v1", "GOARM64=v8.0",
		"GOFLAGS=-mod=readonly", "GOWORK=off", "GOEXPERIMENT=", "GOFIPS140=off")
}

// build makes the binary of program for t in dir. The bytes depend on the source, the version and Go, and on nothing
// else: no path and no state of a checkout is in them.
func (r *release) build(ctx context.Context, t target, program, dir string) error {
	strip := "-s -w"
	if program == "tcred" && t.os == "linux" { // tcred exec looks up in its symbols which signals its caller ignores
		strip = "-w"
	}
	args := []string{"build", "-trimpath", "-buildvcs=false", "-o", filepath.Join(dir, t.file(program)),
		"-ldflags=" + strip + " -X github.com/tcred/tcred/api.Version=" + r.version}
	if t.os == "linux" {
		args = append(args, "-buildmode=exe") // not PIE: it starts faster. Other systems have their own rules
	}
	cmd := exec.CommandContext(ctx, "go", append(args, programs[program])...)
	cmd.Dir, cmd.Env, cmd.Stdout, cmd.Stderr = r.root, t.env(), os.Stderr, os.Stderr
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("building %s for %s: %w", program, t, err)
	}
	return nil
}

// binaries builds every program for every target, into a directory of the stage with all that goes with it.
func (r *release) binaries(ctx context.Context) error {
	for _, t := range r.targets {
		b := built{t, filepath.Join(r.stage, fmt.Sprintf("tcred-%s-%s", r.version, t))}
		if err := os.CopyFS(b.dir, os.DirFS(filepath.Join(r.stage, "documents"))); err != nil {
			return err
		}
		for program := range programs {
			if err := r.build(ctx, t, program, b.dir); err != nil {
				return err
			}
		}
		if t.os == "linux" {
			units := os.DirFS(filepath.Join(r.root, "packaging", "systemd"))
			if err := os.CopyFS(filepath.Join(b.dir, "systemd"), units); err != nil {
				return err
			}
		}
		if err := r.collectLicenses(ctx, t, filepath.Join(b.dir, "licenses")); err != nil {
			return err
		}
		r.built = append(r.built, b)
	}
	return nil
}

// documents makes what is the same for every target. A tcred for this machine writes the completions.
func (r *release) documents(ctx context.Context) error {
	dir := filepath.Join(r.stage, "documents")
	pages := manual{r.version, r.time}
	if err := pages.write(filepath.Join(dir, "man"), filepath.Join(r.root, "config.example.toml")); err != nil {
		return err
	}
	host := target{runtime.GOOS, runtime.GOARCH}
	if err := r.build(ctx, host, "tcred", r.stage); err != nil {
		return err
	}
	tcred := filepath.Join(r.stage, host.file("tcred"))
	if err := r.completions(ctx, tcred, filepath.Join(dir, "completions")); err != nil {
		return err
	}
	for _, name := range []string{"LICENSE", "config.example.toml"} {
		if err := copyFile(filepath.Join(dir, name), filepath.Join(r.root, name)); err != nil {
			return err
		}
	}
	return nil
}

// completions names the scripts as their shells look for them.
func (r *release) completions(ctx context.Context, tcred, dir string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	names := map[string]string{"bash": "%s.bash", "zsh": "_%s", "fish": "%s.fish", "powershell": "%s.ps1"}
	for shell, name := range names {
		for program, flag := range map[string]string{"tcred": "--helper=false", "tcred-helper": "--helper"} {
			script, err := output(ctx, r.root, tcred, "completion", shell, flag)
			if err != nil {
				return err
			}
			if err := os.WriteFile(filepath.Join(dir, fmt.Sprintf(name, program)), []byte(script+"\n"), 0o644); err != nil {
				return err
			}
		}
	}
	return nil
}

func copyFile(to, from string) error {
	text, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	return os.WriteFile(to, text, 0o644)
}
