package config

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tcred/tcred/api"
)

// plan is what i would write at path.
func plan(t *testing.T, i Initial, path string) Writing {
	t.Helper()
	w, err := i.Plan(path)
	if err != nil {
		t.Fatalf("%+v: %v", i, err)
	}
	return w
}

func TestAnInitialConfigIsWrittenOnceAndSaysWhatWasAskedFor(t *testing.T) {
	path, passphrase := filepath.Join(t.TempDir(), "tcred", "config.toml"), filepath.Join(t.TempDir(), "passphrase")
	first := Initial{Site: "intl", Backend: "file", PassphraseFile: passphrase}
	w := plan(t, first, path)
	if w.There || w.Keystore != (Keystore{Backend: "file", PassphraseFile: passphrase}) {
		t.Fatalf("before it is written: %+v", w)
	}
	if err := w.Write(); err != nil {
		t.Fatal(err)
	}
	for _, same := range []Initial{first, {}, {Site: "intl"}, {Backend: "file"}} {
		if w := plan(t, same, path); !w.There || w.Changes != nil || w.Keystore.PassphraseFile != passphrase {
			t.Errorf("%+v: %+v", same, w)
		}
	}
	_, err := Initial{Site: "cn"}.Plan(path)
	if api.CodeOf(err) != api.ConfigInvalid || !strings.Contains(err.Error(), `with site = "intl"`) {
		t.Errorf("another site: %v", err)
	}
	if err := w.Write(); api.CodeOf(err) != api.ConfigInvalid {
		t.Errorf("a file that is there was overwritten: %v", err)
	}
}

func TestAnotherKeystoreLeavesTheRestOfTheFileAsItIs(t *testing.T) {
	const before = "\ufeff# mine\r\nkey = \"a\"\r\n[keystore]\r\nbackend = \"keychain\"\r\n[profiles.x]\r\npolcy = \"full\""
	path := write(t, "config.toml", before)
	w := plan(t, Initial{Backend: "dir"}, path)
	if len(w.Changes) != 1 || w.Changes[0] != (Change{`backend = "keychain"`, `backend = "dir"`}) || len(w.Problems) == 0 {
		t.Errorf("%+v", w)
	}
	if err := w.Write(); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(path)
	if want := strings.Replace(before, "keychain", "dir", 1); err != nil || string(text) != want {
		t.Errorf("%q, %v", text, err)
	}
}

func TestAFileThatSomethingElseChangedMeanwhileIsLeftAlone(t *testing.T) {
	path := write(t, "config.toml", "[keystore]\nbackend = \"keychain\"\n")
	w := plan(t, Initial{Backend: "env"}, path)
	writeTo(t, path, "# new\n")
	if err := w.Write(); err == nil || !strings.Contains(err.Error(), "changed by something else") {
		t.Error(err)
	}
	if text, err := os.ReadFile(path); string(text) != "# new\n" || err != nil {
		t.Errorf("%q, %v", text, err)
	}
}

func TestWhatIsNoTOMLIsLeftAlone(t *testing.T) {
	for _, text := range []string{"backend = \n", "[keystore\n", "keystore = {backend = \"keychain\"\n"} {
		path := write(t, "config.toml", text)
		if _, err := (Initial{Backend: "file"}).Plan(path); err == nil || !strings.Contains(err.Error(), "; the file was not changed") {
			t.Errorf("%q: %v", text, err)
		}
	}
}
