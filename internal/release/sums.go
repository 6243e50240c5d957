package release

import (
	"context"
	"crypto/sha256"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
)

// sums is the last file of a release.
const sums = "SHA256SUMS"

// writeSums writes SHA256SUMS, which sha256sum --check reads, of all that was made.
func (r *release) writeSums(context.Context) error {
	entries, err := os.ReadDir(r.out) // sorted
	if err != nil {
		return err
	}
	var b strings.Builder
	for _, e := range entries {
		sum, err := sha256File(filepath.Join(r.out, e.Name()))
		if err != nil {
			return err
		}
		fmt.Fprintf(&b, "%s  %s\n", sum, e.Name())
	}
	return os.WriteFile(filepath.Join(r.out, sums), []byte(b.String()), 0o644)
}

func sha256File(path string) (string, error) {
	content, err := os.ReadFile(path)
	if err != nil {
		return "", err
	}
	return fmt.Sprintf("%x", sha256.Sum256(content)), nil
}

// writeFormula fills in the Homebrew formula, which needs the sums of all archives.
func (r *release) writeFormula(context.Context) error {
	if len(r.targets) < len(targets) {
		return nil
	}
	template, err := os.ReadFile(filepath.Join(r.root, "packaging", "homebrew", "tcred.rb"))
	if err != nil {
		return err
	}
	values := map[string]string{"VERSION": r.version}
	for _, t := range targets {
		sum, err := sha256File(r.archive(t))
		if err != nil {
			return err
		}
		values["SHA256_"+strings.ToUpper(t.os+"_"+t.arch)] = sum
	}
	formula, err := fill(string(template), values)
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(r.out, "tcred.rb"), []byte(formula), 0o644)
}

var placeholder = regexp.MustCompile(`@[A-Z0-9_]+@`)

// fill puts values in the place of their @NAMES@, and drops the line that tells of them.
func fill(template string, values map[string]string) (string, error) {
	_, template, _ = strings.Cut(template, "\n")
	var missing error
	text := placeholder.ReplaceAllStringFunc(template, func(name string) string {
		value, ok := values[strings.Trim(name, "@")]
		if !ok {
			missing = fmt.Errorf("nothing to fill in for %s", name)
		}
		return value
	})
	return text, missing
}
