package docs

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/tcred/tcred/internal/testworld"
)

// help is what a built tcred says of itself, which is what the documents may say of it.
type help struct {
	t    *testing.T
	dir  string // of the binaries
	seen map[string]string
}

func TestMain(m *testing.M) { os.Exit(testworld.Run(m)) }

func build(t *testing.T) *help {
	t.Helper()
	return &help{t, testworld.Binaries(t), make(map[string]string)}
}

// of is the help of a command line such as "tcred daemon stop".
func (h *help) of(command ...string) string {
	key := strings.Join(command, " ")
	if text, ok := h.seen[key]; ok {
		return text
	}
	out, err := exec.Command(filepath.Join(h.dir, command[0]), append(command[1:], "--help")...).CombinedOutput()
	if err != nil {
		h.t.Fatalf("%s --help: %v\n%s", key, err, out)
	}
	h.seen[key] = string(out)
	return h.seen[key]
}

// hasCommand reports whether help lists a subcommand.
func (h *help) hasCommand(name string, parent ...string) bool {
	_, list, _ := strings.Cut(h.of(parent...), "Available Commands:\n")
	list, _, _ = strings.Cut(list, "\n\n")
	return regexp.MustCompile(`(?m)^  ` + regexp.QuoteMeta(name) + ` `).MatchString(list)
}

func (h *help) hasFlag(flag string, command ...string) bool {
	return regexp.MustCompile(`(?m)^\s+(-\w, )?` + regexp.QuoteMeta(flag) + `[,\s]`).MatchString(h.of(command...))
}

// fault says what is wrong with a command line of tcred or tcred-helper, "" if nothing is.
func (h *help) fault(line string) string {
	words := strings.Fields(line)
	command := words[:1]
	if words[0] == "tcred" {
		for _, word := range words[1:] {
			if strings.HasPrefix(word, "-") || !strings.Contains(h.of(command...), "Available Commands:") {
				break
			}
			if !h.hasCommand(word, command...) {
				return "there is no command " + strings.Join(append(slices.Clone(command), word), " ")
			}
			command = append(slices.Clone(command), word)
		}
	}
	for _, word := range words[len(command):] {
		if word == "--" {
			break
		}
		if flag, _, _ := strings.Cut(word, "="); strings.HasPrefix(flag, "-") && !h.hasFlag(flag, command...) {
			return strings.Join(command, " ") + " has no flag " + flag
		}
	}
	return ""
}

var (
	inlinePattern = regexp.MustCompile("`(tcred(?:-helper)?(?: [^`]+)?)`")
	// A command ends where the shell has something else to do.
	linePattern = regexp.MustCompile(`(?:^|[\s(;])(tcred(?:-helper)?(?: [^|;&<>)\n]+)?)`)
)

// commandLines are the command lines of tcred in a document: of its sh blocks, and between backquotes.
func commandLines(text string) (lines []string) {
	for _, f := range fences(text, "sh") {
		for _, line := range strings.Split(f.text, "\n") {
			if line = strings.TrimSpace(line); strings.HasPrefix(line, "#") || strings.Contains(line, "command -v") {
				continue
			}
			for _, m := range linePattern.FindAllStringSubmatch(line, -1) {
				lines = append(lines, m[1])
			}
		}
	}
	for _, m := range inlinePattern.FindAllStringSubmatch(fencePattern.ReplaceAllString(text, ""), -1) {
		lines = append(lines, m[1])
	}
	return lines
}

func TestEveryCommandAndFlagExists(t *testing.T) {
	h := build(t)
	checked := 0
	for name, text := range documents(t) {
		for _, line := range commandLines(text) {
			checked++
			if fault := h.fault(line); fault != "" {
				t.Errorf("%s: %q: %s", name, line, fault)
			}
		}
	}
	if checked < 50 {
		t.Errorf("only %d command lines found", checked)
	}
	for line, wrong := range map[string]bool{
		"tcred exec upload --min-ttl 1h -- terraform --no-such": false, "tcred daemon stop": false, "tcred logs -n 20": false,
		"tcred-helper --profile upload": false, "tcred setup aws": true, "tcred daemon pause": true, "tcred add --secret-key x": true,
		"tcred-helper --no-daemon": true,
	} {
		if fault := h.fault(line); (fault != "") != wrong {
			t.Errorf("%q: %q", line, fault)
		}
	}
}
