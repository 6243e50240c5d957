// Package docs holds the documents, and the tests that hold them true.
package docs

import (
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// documents are all there are, by their path from the repository's root.
func documents(t *testing.T) map[string]string {
	t.Helper()
	texts := make(map[string]string)
	for _, pattern := range []string{"../*.md", "*.md", "../packaging/*.md", "../internal/*/*.md"} {
		paths, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		for _, path := range paths {
			text, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			texts[strings.TrimPrefix(filepath.ToSlash(filepath.Join("docs", path)), "../")] = string(text)
		}
	}
	if len(texts) < 11 {
		t.Fatalf("only %d documents found", len(texts))
	}
	return texts
}

// fence is a fenced block: its language, "" if it names none, and what is in it.
type fence struct{ lang, text string }

var fencePattern = regexp.MustCompile("(?ms)^```([a-z]*)\n(.*?)^```$")

func fences(text string, langs ...string) (list []fence) {
	for _, m := range fencePattern.FindAllStringSubmatch(text, -1) {
		if len(langs) == 0 || slices.Contains(langs, m[1]) {
			list = append(list, fence{m[1], m[2]})
		}
	}
	return list
}

var (
	linkPattern    = regexp.MustCompile(`\]\(([^)\s]+)\)`)
	headingPattern = regexp.MustCompile(`(?m)^#+ (.+)$`)
)

func TestLinksResolve(t *testing.T) {
	texts := documents(t)
	for name, text := range texts {
		for _, m := range linkPattern.FindAllStringSubmatch(text, -1) {
			if strings.Contains(m[1], "://") {
				continue // TestOnlyKnownHostsAndPathsAreNamed
			}
			file, anchor, _ := strings.Cut(m[1], "#")
			target := name
			if file != "" {
				target = filepath.ToSlash(filepath.Join(filepath.Dir(name), file))
			}
			if _, err := os.Stat(filepath.Join("..", target)); err != nil {
				t.Errorf("%s links to %s, which is not there", name, m[1])
			}
			if anchor != "" && !slices.Contains(anchors(texts[target]), anchor) {
				t.Errorf("%s links to %s, which has no such heading", name, m[1])
			}
		}
	}
}

// anchors are the headings of a document as links name them.
func anchors(text string) (list []string) {
	for _, m := range headingPattern.FindAllStringSubmatch(text, -1) {
		list = append(list, strings.ReplaceAll(regexp.MustCompile(`[^a-z0-9 -]`).ReplaceAllString(strings.ToLower(m[1]), ""), " ", "-"))
	}
	return list
}

func TestBothREADMEsShowTheSame(t *testing.T) {
	texts := documents(t)
	english, chinese := fences(texts["README.md"]), fences(texts["README.zh-CN.md"])
	for i := range max(len(english), len(chinese)) {
		switch {
		case i >= len(english) || i >= len(chinese):
			t.Fatalf("README.md has %d fenced blocks, README.zh-CN.md %d", len(english), len(chinese))
		case english[i] != chinese[i]:
			t.Errorf("block %d differs:\n%s\n%s", i+1, english[i].text, chinese[i].text)
		}
	}
	if a, b := headings(texts["README.md"]), headings(texts["README.zh-CN.md"]); a != b {
		t.Errorf("README.md has %d sections, README.zh-CN.md %d", a, b)
	}
}

// Who names no profile has to know which one is meant, in either language.
func TestBothREADMEsSayWhichProfileIsMeant(t *testing.T) {
	for _, name := range []string{"README.md", "README.zh-CN.md"} {
		text, from := documents(t)[name], 0
		for _, word := range []string{"`$TCRED_PROFILE`", "`default_profile`", "`default`"} { // in this order
			at := strings.Index(text[from:], word)
			if at < 0 {
				t.Fatalf("%s does not say it: no %s", name, word)
			}
			from += at
		}
	}
}

func headings(text string) int { return len(regexp.MustCompile(`(?m)^## `).FindAllString(text, -1)) }

var (
	hostPattern = regexp.MustCompile(`https?://([A-Za-z0-9.-]+)`)
	pathPattern = regexp.MustCompile("(?:^|[\\s\"'`=(])(/[A-Za-z_][A-Za-z0-9_.-]*)")
)

// The documents show nothing of the machine they were written on: whatever they name is listed here.
var (
	knownHosts = []string{
		"go.dev", "console.cloud.tencent.com", "console.tencentcloud.com", "cos.ap-guangzhou.myqcloud.com", "127.0.0.1", "tcred",
	}
	knownRoots = []string{"/usr", "/run", "/home", "/mnt", "/proc", "/bin", "/tcred", "/v1", "/metrics", "/_emulator"}
)

func TestOnlyKnownHostsAndPathsAreNamed(t *testing.T) {
	for name, text := range documents(t) {
		for _, m := range hostPattern.FindAllStringSubmatch(text, -1) {
			if !slices.Contains(knownHosts, m[1]) {
				t.Errorf("%s names the host %s", name, m[1])
			}
		}
		for _, m := range pathPattern.FindAllStringSubmatch(text, -1) {
			if !slices.Contains(knownRoots, m[1]) {
				t.Errorf("%s names a path in %s", name, m[1])
			}
		}
	}
}

var (
	functionPattern = regexp.MustCompile(`\b(?:Test|Benchmark|Fuzz)[A-Z0-9]\w*`)
	targetPattern   = regexp.MustCompile(`go test (?:.* )?\./(\S+) .*-(?:fuzz|bench) '?\^?(\w+)`)
	declaredPattern = regexp.MustCompile(`(?m)^func ((?:Test|Benchmark|Fuzz)[A-Z0-9]\w*)\(`)
)

// functions are the packages in which the repository's tests, benchmarks and fuzz targets are, by name.
func functions(t *testing.T) map[string][]string {
	t.Helper()
	packages := make(map[string][]string)
	err := filepath.WalkDir("..", func(path string, entry fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(path, "_test.go") {
			return err
		}
		source, err := os.ReadFile(path)
		for _, m := range declaredPattern.FindAllSubmatch(source, -1) {
			name := string(m[1])
			packages[name] = append(packages[name], strings.TrimPrefix(filepath.ToSlash(filepath.Dir(path)), "../"))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return packages
}

func TestEveryTestThatIsNamedExists(t *testing.T) {
	there := functions(t)
	for name, text := range documents(t) {
		for _, function := range functionPattern.FindAllString(text, -1) {
			if there[function] == nil {
				t.Errorf("%s names %s, which is not there", name, function)
			}
		}
		for _, m := range targetPattern.FindAllStringSubmatch(text, -1) {
			if !slices.Contains(slices.Concat(there[m[2]], there["Benchmark"+m[2]]), m[1]) {
				t.Errorf("%s names %s of ./%s, which is not there", name, m[2], m[1])
			}
		}
	}
}

func TestEveryFuzzTargetHasItsCommand(t *testing.T) {
	text := documents(t)["CONTRIBUTING.md"]
	for function, packages := range functions(t) {
		for _, name := range packages {
			if command := "go test ./" + name + " -run '^$' -fuzz '^" + function + "$' "; strings.HasPrefix(function, "Fuzz") && !strings.Contains(text, command) {
				t.Errorf("CONTRIBUTING.md does not show %q", command)
			}
		}
	}
}

// roomPattern is a line of CONTRIBUTING.md's list of rooms.
var roomPattern = regexp.MustCompile(`(?m)^([a-z/-]+)/ +\S`)

func TestEveryPackageIsARoom(t *testing.T) {
	var rooms []string
	for _, m := range roomPattern.FindAllStringSubmatch(documents(t)["CONTRIBUTING.md"], -1) {
		rooms = append(rooms, m[1])
	}
	cmd := exec.Command("go", "list", "-f", "{{.ImportPath}}", "./...")
	cmd.Dir = ".."
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range strings.Fields(string(out)) {
		if _, room, below := strings.Cut(path, "tcred/tcred/"); below && !slices.Contains(rooms, room) {
			t.Errorf("CONTRIBUTING.md does not list %s/", room)
		}
	}
	for _, room := range rooms {
		if _, err := os.Stat(filepath.Join("..", room)); err != nil {
			t.Errorf("CONTRIBUTING.md lists %s/, which is not there", room)
		}
	}
}

// arrowPattern is a line of CONTRIBUTING.md's map: a room, and the rooms that it knows.
var arrowPattern = regexp.MustCompile(`(?m)^([a-z./-]+) +-> ([a-z/, -]+)$`)

// imports are the rooms that each room imports, tests left out. The repository itself is "main.go".
func imports(t *testing.T) map[string][]string {
	t.Helper()
	cmd := exec.Command("go", "list", "-f", "{{.ImportPath}} {{join .Imports \" \"}}", "./...")
	cmd.Dir = ".."
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	rooms := make(map[string][]string)
	for line := range strings.Lines(string(out)) {
		fields := strings.Fields(line)
		var known []string
		for _, path := range fields[1:] {
			if room, ours := strings.CutPrefix(path, "github.com/tcred/tcred/"); ours {
				known = append(known, room)
			}
		}
		room, below := strings.CutPrefix(fields[0], "github.com/tcred/tcred/")
		if !below {
			room = "main.go"
		}
		if len(known) > 0 {
			slices.Sort(known)
			rooms[room] = known
		}
	}
	return rooms
}

// The map is read from the top: no arrow points up.
func TestTheMapShowsEveryArrowAndAllPointDown(t *testing.T) {
	there := imports(t)
	var above []string
	for _, m := range arrowPattern.FindAllStringSubmatch(documents(t)["CONTRIBUTING.md"], -1) {
		room, known := m[1], strings.Split(m[2], ", ")
		slices.Sort(known)
		if !slices.Equal(known, there[room]) {
			t.Errorf("CONTRIBUTING.md says that %s knows %v, its imports are %v", room, known, there[room])
		}
		delete(there, room)
		above = append(above, room)
		for _, k := range known {
			if slices.Contains(above, k) {
				t.Errorf("the arrow from %s to %s points up", room, k)
			}
		}
	}
	for room, known := range there {
		t.Errorf("CONTRIBUTING.md's map lacks %s -> %s", room, strings.Join(known, ", "))
	}
}
