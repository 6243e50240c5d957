package release

import (
	"context"
	"debug/elf"
	"encoding/json"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"
)

// newRelease is one of the source at root, 1.2.3 of a fixed day.
func newRelease(t *testing.T, root string) *release {
	t.Helper()
	root, err := filepath.Abs(root)
	if err != nil {
		t.Fatal(err)
	}
	return &release{
		root: root, out: t.TempDir(), stage: t.TempDir(), targets: targets,
		version: testManual.version, time: testManual.time,
	}
}

// repository is where the source is.
const repository = "../.."

// copySource copies the source in from to a new directory; it is a checkout no more.
func copySource(t *testing.T, from string) (dir string) {
	t.Helper()
	dir = filepath.Join(t.TempDir(), "a longer name")
	err := filepath.WalkDir(from, func(path string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir() && (entry.Name() == ".git" || entry.Name() == "dist"):
			return fs.SkipDir
		}
		to := filepath.Join(dir, strings.TrimPrefix(path, from))
		if entry.IsDir() {
			return os.MkdirAll(to, 0o700)
		}
		return copyFile(to, path)
	})
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

func TestTwoBuildsInDifferentDirectoriesAreIdentical(t *testing.T) {
	if testing.Short() {
		t.Skip("builds the binaries twice")
	}
	here, there := newRelease(t, repository), newRelease(t, copySource(t, repository))
	linux := target{"linux", "amd64"}
	for program := range programs {
		var seen []string
		for _, r := range []*release{here, there} {
			if err := r.build(t.Context(), linux, program, r.stage); err != nil {
				t.Fatal(err)
			}
			sum, err := sha256File(filepath.Join(r.stage, program))
			if err != nil {
				t.Fatal(err)
			}
			seen = append(seen, sum)
		}
		if seen[0] != seen[1] {
			t.Errorf("%s is %s in one directory and %s in another", program, seen[0], seen[1])
		}
	}
	binary, err := elf.Open(filepath.Join(here.stage, "tcred-helper"))
	if err != nil {
		t.Fatal(err)
	}
	defer binary.Close()
	if libraries, err := binary.ImportedLibraries(); binary.Type != elf.ET_EXEC || err != nil || len(libraries) > 0 {
		t.Errorf("the helper is %v and needs %q (%v)", binary.Type, libraries, err)
	}
	if runtime.GOOS+runtime.GOARCH == linux.os+linux.arch {
		out, err := exec.Command(filepath.Join(here.stage, "tcred-helper"), "--version").Output()
		if err != nil || string(out) != "tcred-helper 1.2.3\n" {
			t.Errorf("the helper says it is %q (%v)", out, err)
		}
	}
	testSBOM(t, here, built{linux, here.stage})
}

// testSBOM sees that the SBOM tells of everything in the binaries, with a licence that was collected.
func testSBOM(t *testing.T, r *release, b built) {
	t.Helper()
	if err := r.collectLicenses(t.Context(), b.target, filepath.Join(b.dir, "licenses")); err != nil {
		t.Fatal(err)
	}
	r.built = []built{b}
	if err := r.writeSBOM(t.Context()); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(filepath.Join(r.out, "tcred-1.2.3.spdx.json"))
	if err != nil {
		t.Fatal(err)
	}
	var doc spdx
	if err := json.Unmarshal(text, &doc); err != nil {
		t.Fatal(err)
	}
	listed := make(map[string]spdxPackage)
	ids := make(map[string]bool)
	for _, p := range doc.Packages {
		listed[p.Name] = p
		ids[p.SPDXID] = true
	}
	if len(ids) != len(doc.Packages) || len(doc.Relationships) != len(doc.Packages) {
		t.Errorf("%d packages have %d ids and %d relationships", len(doc.Packages), len(ids), len(doc.Relationships))
	}
	packages, err := r.linked(t.Context(), b.target)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range packages {
		if !p.Standard && listed[p.Module.Path].LicenseDeclared == "" {
			t.Errorf("%s is linked in, and not in the SBOM", p.Module.Path)
		}
	}
	version := strings.TrimPrefix(runtime.Version(), "go")
	if go_ := listed["go"]; go_.VersionInfo != version || go_.LicenseDeclared != "BSD-3-Clause" {
		t.Errorf("go is %+v", go_)
	}
}

func TestEveryLinkedModuleBringsItsLicence(t *testing.T) {
	r := newRelease(t, repository)
	for _, target := range targets {
		dir := filepath.Join(r.stage, target.String())
		if err := r.collectLicenses(t.Context(), target, dir); err != nil {
			t.Fatal(err)
		}
		packages, err := r.linked(t.Context(), target)
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range packages {
			if p.Standard || p.Module.Main {
				continue
			}
			if id, err := licenseID(filepath.Join(dir, p.Module.Path)); err != nil {
				t.Errorf("%s: %s %v", target, id, err)
			}
		}
	}
	ofWindows := filepath.Join(r.stage, "windows-amd64", "github.com", "danieljoos", "wincred", "LICENSE")
	if _, err := os.Stat(ofWindows); err != nil {
		t.Error(err)
	}
}

func TestALicenceThatIsMissingOrUnfitStopsTheRelease(t *testing.T) {
	dir := t.TempDir()
	if err := copyLicenses(t.TempDir(), dir); err == nil {
		t.Error("a module without a licence is taken")
	}
	if err := os.WriteFile(filepath.Join(dir, "COPYING"), []byte("GNU GENERAL PUBLIC LICENSE"), 0o600); err != nil {
		t.Fatal(err)
	}
	if id, err := licenseID(dir); err == nil {
		t.Errorf("the GPL is taken for %s", id)
	}
}

func TestVersionsComeFromGit(t *testing.T) {
	for described, want := range map[string]string{
		"v1.2.0":                        "1.2.0",
		"v1.2.0-rc.1":                   "1.2.0-rc.1",
		"v1.2.0-3-g04841c6":             "1.2.0+3.g04841c6",
		"v1.2.0-rc.1-12-g04841c6":       "1.2.0-rc.1+12.g04841c6",
		"v1.2.0-dirty":                  "1.2.0+dirty",
		"v1.2.0-3-g04841c6-dirty":       "1.2.0+3.g04841c6.dirty",
		"04841c6":                       "0.0.0+g04841c6",
		"04841c6-dirty":                 "0.0.0+g04841c6.dirty",
		"v1.2.0-rc.1-12-g04841c6-dirty": "1.2.0-rc.1+12.g04841c6.dirty",
	} {
		if got := fromDescription(described); got != want || !semver.MatchString(got) {
			t.Errorf("%s: %s", described, got)
		}
	}
	r := newRelease(t, repository)
	for given, want := range map[string]string{
		"v1.2.0": "1.2.0", "1.2.0": "1.2.0", "1.2": "", "1.2.0 -X=y": "", "../1.2.0": "",
	} {
		if got, err := r.findVersion(t.Context(), given); got != want || (err == nil) != (want != "") {
			t.Errorf("%q: %q, %v", given, got, err)
		}
	}
}

func TestPacmanTellsBuildsBetweenReleasesApart(t *testing.T) {
	for version, want := range map[string]string{
		"1.2.0": "1.2.0", "1.2.0-rc.1": "1.2.0rc.1", "1.2.0+3.g04841c6": "1.2.0.3.g04841c6",
		"0.0.0+g04841c6.dirty": "0.0.0.g04841c6.dirty",
	} {
		if got := versionFor("archlinux", version); got != want {
			t.Errorf("%s is %s", version, got)
		}
		if got := versionFor("deb", version); got != version {
			t.Errorf("%s is %s in a deb", version, got)
		}
	}
}

func TestAnArchiveDependsOnNamesAndContentsAlone(t *testing.T) {
	var archives [][]byte
	for i, mode := range []fs.FileMode{0o600, 0o755} {
		dir := filepath.Join(t.TempDir(), "tcred-1.2.3")
		names := []string{"tcred", "man/tcred.1", "LICENSE"}
		if i == 1 {
			slices.Reverse(names)
		}
		for _, name := range names {
			path := filepath.Join(dir, name)
			if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(path, []byte(name), mode); err != nil {
				t.Fatal(err)
			}
			if err := os.Chtimes(path, time.Now(), time.Unix(int64(i), 0)); err != nil {
				t.Fatal(err)
			}
		}
		path := filepath.Join(t.TempDir(), "a.tar.gz")
		if err := writeArchive(path, dir, time.Unix(1790000000, 0)); err != nil {
			t.Fatal(err)
		}
		content, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		archives = append(archives, content)
	}
	if !slices.Equal(archives[0], archives[1]) {
		t.Error("the archives differ")
	}
}

func TestTheFormulaIsFilledIn(t *testing.T) {
	r := newRelease(t, repository)
	for _, target := range targets {
		if err := os.WriteFile(r.archive(target), []byte(target.String()), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := r.writeFormula(context.Background()); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(filepath.Join(r.out, "tcred.rb"))
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(text), "@") || !strings.HasPrefix(string(text), "class Tcred < Formula\n") {
		t.Errorf("the formula is\n%s", text)
	}
	for _, target := range targets {
		sum, err := sha256File(r.archive(target))
		if err != nil {
			t.Fatal(err)
		}
		url := "/v1.2.3/" + filepath.Base(r.archive(target)) + "\"\n      sha256 \"" + sum
		if has := strings.Contains(string(text), url); has != (target.os != "windows") {
			t.Errorf("%s is in the formula: %v", target, has)
		}
	}
	if text, err := fill("# head\nx @NOBODY@", nil); err == nil {
		t.Errorf("filled in nothing: %s", text)
	}
}

func TestAReleaseReplacesNothingButARelease(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "dist")
	for range 2 {
		if err := emptyDir(dir); err != nil {
			t.Fatal(err)
		}
		for _, name := range []string{"thesis.txt", sums} {
			if err := os.WriteFile(filepath.Join(dir, name), nil, 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := os.Remove(filepath.Join(dir, sums)); err != nil {
		t.Fatal(err)
	}
	if err := emptyDir(dir); err == nil {
		t.Error("somebody's files are gone")
	}
	if _, err := os.Stat(filepath.Join(dir, "thesis.txt")); err != nil {
		t.Error(err)
	}
}
