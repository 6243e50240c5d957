package docs

import (
	"encoding/json"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/tcred/tcred/internal/policy"
)

// policyStart is where a policy begins.
var policyStart = regexp.MustCompile(`\{\s*"version":\s*"2`)

// A warning that the documents' own policies call forth is one that nobody would heed.
func TestNothingIsFoundInAPolicyOfTheDocuments(t *testing.T) {
	texts := documents(t)
	for _, path := range []string{"../config.example.toml", "../internal/config/defaults.go"} {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		texts[path] = strings.ReplaceAll(string(text), "\n#", "\n")
	}
	found := 0
	for name, text := range texts {
		for _, at := range policyStart.FindAllStringIndex(text, -1) {
			var src json.RawMessage
			if err := json.NewDecoder(strings.NewReader(text[at[0]:])).Decode(&src); err != nil {
				t.Errorf("%s: %v in %.200s", name, err, text[at[0]:])
			}
			for _, f := range policy.Check(src) {
				t.Errorf("%s: %s (%s) in %s", name, f.Message, f.Hint, src)
			}
			found++
		}
	}
	if found < 5 {
		t.Errorf("only %d policies found", found)
	}
}
