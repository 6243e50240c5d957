package packaging

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// hung is added to package broker in a build of the test's own: the refresher hangs once the file is there.
const hung = `package broker

import "os"

func hangIfAsked() {
	if os.Remove(os.Getenv("XDG_RUNTIME_DIR")+"/hang") == nil {
		select {}
	}
}
`

// hungBuild is a build of the binaries whose refresher can be made to hang.
func hungBuild(t *testing.T) string {
	t.Helper()
	source, err := filepath.Abs("../internal/broker/refresher.go")
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(source)
	if err != nil {
		t.Fatal(err)
	}
	const loop = "if !b.rest(ctx, b.renewDue(ctx)) {"
	if strings.Count(string(text), loop) != 1 {
		t.Fatalf("the refresher has no line %q: where does it turn now?", loop)
	}
	dir := t.TempDir()
	overlay := map[string]map[string]string{"Replace": {
		source: filepath.Join(dir, "refresher.go"), filepath.Join(filepath.Dir(source), "hung.go"): filepath.Join(dir, "hung.go"),
	}}
	list, err := json.Marshal(overlay)
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{
		"refresher.go": strings.Replace(string(text), loop, "hangIfAsked()\n"+loop, 1), "hung.go": hung, "overlay.json": string(list),
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return build(t, "-overlay", filepath.Join(dir, "overlay.json"))
}
