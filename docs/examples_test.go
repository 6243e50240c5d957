package docs

import (
	"bytes"
	"encoding/json"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/tcred/tcred/api"
	"github.com/tcred/tcred/credential"
	"github.com/tcred/tcred/internal/config"
	"github.com/tcred/tcred/internal/say"
)

func TestSettingsLoad(t *testing.T) {
	for name, text := range documents(t) {
		for _, f := range fences(text, "toml") {
			dir := t.TempDir()
			policy := `{"version":"2.0","statement":[{"effect":"allow","action":"name/cos:PutObject","resource":"*"}]}`
			write(t, filepath.Join(dir, "upload.json"), policy)
			path := filepath.Join(dir, "config.toml")
			write(t, path, f.text)
			if _, warnings, err := config.Load(path); err != nil || len(warnings) > 0 {
				t.Errorf("%s:\n%s\n%v %v", name, f.text, err, warnings)
			}
		}
	}
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// codes are the error codes of package api, in its order.
func codes(t *testing.T) (list []api.Code) {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), "../api/errors.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	ast.Inspect(file, func(n ast.Node) bool {
		spec, ok := n.(*ast.ValueSpec)
		if !ok {
			return true
		}
		if kind, ok := spec.Type.(*ast.Ident); ok && kind.Name == "Code" {
			text, err := strconv.Unquote(spec.Values[0].(*ast.BasicLit).Value)
			if err != nil {
				t.Fatal(err)
			}
			list = append(list, api.Code(text))
		}
		return true
	})
	return list
}

func TestTheErrorTableIsTheProtocols(t *testing.T) {
	var want []string
	for _, c := range codes(t) {
		retryable := map[bool]string{true: "yes", false: "no"}[c.Retryable()]
		want = append(want, fmt.Sprintf("| `%s` | %d | %d | %s |", c, c.Status(), say.Exit(&api.Error{Code: c}), retryable))
	}
	got := regexp.MustCompile("(?m)^\\| `[a-z_]+` \\| \\d+ \\| \\d+ \\| (?:yes|no) \\|").FindAllString(documents(t)["docs/protocol.md"], -1)
	if len(want) == 0 || strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("docs/protocol.md has\n%s\nand package api\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// Without its line in api's table a code would pass for an internal error, and a status of 500 in the document with it.
func TestEveryCodeHasItsStatus(t *testing.T) {
	text, err := os.ReadFile("../api/errors.go")
	if err != nil {
		t.Fatal(err)
	}
	lines := regexp.MustCompile(`(?m)^\t\w+: +\{[1-5]\d\d, (?:true|false)\},$`).FindAll(text, -1)
	if len(lines) != len(codes(t)) {
		t.Errorf("%d codes, %d lines with a status", len(codes(t)), len(lines))
	}
}

// shapes are the bodies that docs/protocol.md shows, by how each begins.
var shapes = map[string]func() any{
	`{"name"`:           func() any { return new(api.ProfileStatus) },
	`{"credentials":[`:  func() any { return new(api.Cleared) },
	`{"Type"`:           func() any { return new(api.Identity) },
	"{\n  \"version\"":  func() any { return new(api.Status) },
	`{"passphrase"`:     func() any { return new(api.UnlockRequest) },
	`{"type":"about:bl`: func() any { return new(api.Problem) },
}

func TestTheProtocolsBodiesAreTheTypes(t *testing.T) {
	blocks := fences(documents(t)["docs/protocol.md"], "json")
	for begins, shape := range shapes {
		found := false
		for _, f := range blocks {
			if !strings.HasPrefix(f.text, begins) {
				continue
			}
			found = true
			d := json.NewDecoder(strings.NewReader(f.text))
			d.DisallowUnknownFields()
			if err := d.Decode(shape()); err != nil {
				t.Errorf("%s: %v", f.text, err)
			}
		}
		if !found {
			t.Errorf("no example begins with %s", begins)
		}
	}
}

func TestTheFormatsAreShownAsTheyPrint(t *testing.T) {
	c := credential.Credential{
		SecretID: "…", SecretKey: "…", Token: "…", RequestID: "…",
		Issued: time.Date(2026, 11, 21, 12, 1, 0, 0, time.UTC), Expires: time.Date(2026, 11, 21, 14, 0, 0, 0, time.UTC),
	}
	for _, format := range []credential.Format{credential.Process, credential.Tencent, credential.COS, credential.TCCLI} {
		text, err := c.Encode(format)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Contains([]byte(documents(t)["docs/protocol.md"]), append([]byte("```json\n"), text...)) {
			t.Errorf("docs/protocol.md does not show format %s:\n%s", format, text)
		}
	}
}

func TestEveryFormatIsListed(t *testing.T) {
	line := regexp.MustCompile("(?m)^- `format`: .*$").FindString(documents(t)["docs/protocol.md"])
	for _, format := range credential.Formats {
		if !strings.Contains(line, "`"+string(format)+"`") {
			t.Errorf("docs/protocol.md does not list the format %s in %q", format, line)
		}
	}
}

func TestTheVariablesOfExecAreAllListed(t *testing.T) {
	_, section, _ := strings.Cut(documents(t)["docs/recipes.md"], "## What exec sets")
	section, _, _ = strings.Cut(section, "\n\nIt takes out")
	listed := regexp.MustCompile("`[A-Z_]+`").FindAllString(section, -1)
	want := credential.Credential{}.Variables()
	for _, v := range want {
		if !strings.Contains(section, "`"+v.Name+"`") {
			t.Errorf("docs/recipes.md does not list %s", v.Name)
		}
	}
	if len(listed) != len(want) {
		t.Errorf("docs/recipes.md lists %d variables, exec sets %d", len(listed), len(want))
	}
}

func TestGoProgramsCompile(t *testing.T) {
	programs := 0
	for name, text := range documents(t) {
		for _, f := range fences(text, "go") {
			if !strings.HasPrefix(f.text, "package main") {
				continue
			}
			programs++
			path := filepath.Join(t.TempDir(), "main.go")
			write(t, path, f.text)
			cmd := exec.Command("go", "vet", path)
			cmd.Dir = ".." // the module whose versions count
			if out, err := cmd.CombinedOutput(); err != nil {
				t.Errorf("%s: %v\n%s", name, err, out)
			}
		}
	}
	if programs == 0 {
		t.Error("no program found")
	}
}
