package release

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// nfpm makes the packages. It is run, not linked: newer ones do not build from the module proxy.
const nfpm = "github.com/goreleaser/nfpm/v2/cmd/nfpm@v2.43.4"

var packagers = []string{"deb", "rpm", "archlinux"}

// packages makes one of each kind for each Linux target, as packaging/nfpm.yaml says.
func (r *release) packages(ctx context.Context) error {
	for _, b := range r.built {
		if b.os != "linux" {
			continue
		}
		if err := r.setModes(b.dir); err != nil {
			return err
		}
		for _, packager := range packagers {
			cmd := exec.CommandContext(ctx, "go", "run", nfpm, "package",
				"--config", "packaging/nfpm.yaml", "--packager", packager, "--target", r.out)
			cmd.Dir, cmd.Stderr = r.root, os.Stderr
			cmd.Env = append(os.Environ(), "GOFLAGS=-buildvcs=false", "VERSION="+versionFor(packager, r.version),
				"ARCH="+b.arch, "STAGE="+b.dir, fmt.Sprintf("SOURCE_DATE_EPOCH=%d", r.time.Unix()))
			if err := cmd.Run(); err != nil {
				return fmt.Errorf("making the %s for %s: %w", packager, b.target, err)
			}
		}
	}
	return nil
}

// versionFor is version as a kind of package spells it. nfpm spells it for dpkg and rpm. For pacman it would leave out
// what follows the +, and two builds between releases would have the same version.
func versionFor(packager, version string) string {
	if packager == "archlinux" {
		return strings.NewReplacer("-", "", "+", ".").Replace(version)
	}
	return version
}

// setModes gives everything below dir the time and the modes that it has in packages.
func (r *release) setModes(dir string) error {
	return filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		mode := fs.FileMode(0o644)
		if entry.IsDir() || isProgram(path) {
			mode = 0o755
		}
		if err := os.Chmod(path, mode); err != nil {
			return err
		}
		return os.Chtimes(path, r.time, r.time)
	})
}
