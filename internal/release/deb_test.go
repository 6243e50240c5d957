package release

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/tcred/tcred/internal/testworld"
)

// TestRealRelease makes a release twice, in different directories, and looks at what came out with the tools that
// people will use on it.
func TestRealRelease(t *testing.T) {
	testworld.NeedReal(t, true, "needs nfpm from the module proxy, root, dpkg, rpm, bsdtar and ruby")
	source := copySource(t, repository) // which nobody edits meanwhile
	out := makeRelease(t, source)
	t.Run("identical", func(t *testing.T) {
		again := makeRelease(t, copySource(t, source))
		one, err := os.ReadFile(filepath.Join(out, sums))
		if err != nil {
			t.Fatal(err)
		}
		if other, err := os.ReadFile(filepath.Join(again, sums)); err != nil || !bytes.Equal(one, other) {
			t.Errorf("one release is\n%sand the other\n%s%v", one, other, err)
		}
		if n := bytes.Count(one, []byte("\n")); n != len(targets)+2*len(packagers)+2 {
			t.Errorf("%d files:\n%s", n, one)
		}
		command(t, "sh", "-c", `cd "$0" && sha256sum --check --strict --quiet SHA256SUMS`, out)
	})
	t.Run("deb", func(t *testing.T) { testDeb(t, filepath.Join(out, "tcred_1.2.3_amd64.deb")) })
	t.Run("contents", func(t *testing.T) { testContents(t, out) })
	t.Run("formula", func(t *testing.T) {
		template := filepath.Join(repository, "packaging", "homebrew", "tcred.rb")
		for _, formula := range []string{filepath.Join(out, "tcred.rb"), template} {
			if out := command(t, "ruby", "-c", formula); out != "Syntax OK\n" {
				t.Error(out)
			}
		}
	})
}

// makeRelease runs the documented command in source, which is not a checkout, and returns the directory it filled.
func makeRelease(t *testing.T, source string) (out string) {
	t.Helper()
	out = t.TempDir()
	cmd := exec.CommandContext(t.Context(), "go", "run", "packaging/make.go", "--version", "1.2.3", "--out", out)
	cmd.Dir, cmd.Env = source, append(os.Environ(), "SOURCE_DATE_EPOCH=1790000000")
	if text, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v:\n%s", err, text)
	}
	return out
}

// testDeb installs the package into a copy of this machine's file system and takes it away again. What is left in the
// overlay is what the package left behind.
func testDeb(t *testing.T, deb string) {
	const inside = `set -eu
		install() { dpkg --path-include='/usr/share/*' --install /tcred.deb; } # some machines leave man and doc out
		install
		tcred version
		tcred-helper --version
		test -r /usr/lib/systemd/user/tcred.socket && test -r /usr/lib/systemd/user/tcred.service
		test -r /usr/share/man/man5/tcred-config.5
		dpkg --verify tcred
		install # over itself: an upgrade
		dpkg --remove tcred
		! command -v tcred
		dpkg --purge tcred
		rm /tcred.deb`
	const outside = `set -eu
		mount -t tmpfs tmpfs "$1"
		mkdir "$1/new" "$1/work" "$1/root"
		mount -t overlay overlay -o "lowerdir=/,upperdir=$1/new,workdir=$1/work" "$1/root"
		mount --rbind /dev "$1/root/dev"
		cp "$2" "$1/root/tcred.deb"
		chroot "$1/root" sh -c "$3" >&2
		cd "$1/new" && find . ! -type d`
	cmd := exec.CommandContext(t.Context(), "unshare", "--mount", "sh", "-c", outside, "sh", t.TempDir(), deb, inside)
	var log strings.Builder
	cmd.Stderr = &log
	left, err := cmd.Output()
	said := log.String()
	if err != nil || !strings.Contains(said, "tcred 1.2.3 (") || !strings.Contains(said, "tcred-helper 1.2.3\n") {
		t.Fatalf("%v:\n%s", err, said)
	}
	ofDpkg := regexp.MustCompile(`^\./var/(lib/dpkg|log|cache)/`)
	for file := range strings.Lines(string(left)) {
		if !ofDpkg.MatchString(file) {
			t.Errorf("left behind: %s", file)
		}
	}
}

// testContents compares what is in the three kinds of package, for both processors.
func testContents(t *testing.T, out string) {
	var lists [][]string
	for _, list := range []string{
		command(t, "sh", "-c", `dpkg-deb --fsys-tarfile "$0" | tar -t`, filepath.Join(out, "tcred_1.2.3_amd64.deb")),
		command(t, "sh", "-c", `dpkg-deb --fsys-tarfile "$0" | tar -t`, filepath.Join(out, "tcred_1.2.3_arm64.deb")),
		command(t, "rpm", "-qlp", filepath.Join(out, "tcred-1.2.3-1.x86_64.rpm")),
		command(t, "rpm", "-qlp", filepath.Join(out, "tcred-1.2.3-1.aarch64.rpm")),
		command(t, "bsdtar", "-tf", filepath.Join(out, "tcred-1.2.3-1-x86_64.pkg.tar.zst")),
		command(t, "bsdtar", "-tf", filepath.Join(out, "tcred-1.2.3-1-aarch64.pkg.tar.zst")),
	} {
		lists = append(lists, contents(list))
	}
	for _, want := range []string{
		"/usr/bin/tcred", "/usr/bin/tcred-helper",
		"/usr/lib/systemd/user/tcred.socket", "/usr/lib/systemd/user/tcred.service",
		"/usr/share/bash-completion/completions/tcred", "/usr/share/fish/vendor_completions.d/tcred.fish",
		"ZSH/_tcred", "ZSH/_tcred-helper", "/usr/share/man/man1/tcred-exec.1", "/usr/share/man/man5/tcred-config.5",
		"/usr/share/doc/tcred/config.example.toml", "LICENSE",
		"/usr/share/doc/tcred/licenses/go/LICENSE", "/usr/share/doc/tcred/licenses/github.com/spf13/cobra/LICENSE.txt",
	} {
		if !slices.Contains(lists[0], want) {
			t.Errorf("no %s in the deb", want)
		}
	}
	for i, list := range lists {
		if !slices.Equal(list, lists[0]) {
			t.Errorf("package %d has\n%s\nthe deb\n%s", i, list, lists[0])
		}
	}
	command(t, "rpm", "--checksig", "--nosignature", filepath.Join(out, "tcred-1.2.3-1.x86_64.rpm"))
}

// elsewhere are the places that distributions do not agree on.
var elsewhere = strings.NewReplacer(
	"/usr/share/zsh/vendor-completions/", "ZSH/", "/usr/share/zsh/site-functions/", "ZSH/",
	"/usr/share/doc/tcred/copyright", "LICENSE", "/usr/share/licenses/tcred/LICENSE", "LICENSE")

// contents are the files of a package, from a list of them and of directories, which rpm does not mark.
func contents(list string) []string {
	var files []string
	for line := range strings.Lines(list) {
		file := "/" + strings.TrimLeft(strings.TrimSpace(line), "./")
		directory := strings.HasSuffix(file, "/") ||
			strings.Contains(file, "/licenses") && !licenseFile.MatchString(filepath.Base(file))
		if strings.HasPrefix(file, "/usr/") && !directory {
			files = append(files, elsewhere.Replace(file))
		}
	}
	slices.Sort(files)
	return files
}

func command(t *testing.T, name string, args ...string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), name, args...)
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s %q: %v\n%s", name, args, err, stderr.String())
	}
	return string(out)
}
