package keys

import (
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tcred/tcred/api"
	"github.com/tcred/tcred/internal/testworld/keys"
	"github.com/tcred/tcred/keystore"
)

func TestAKeyThatCannotBeIndexedGoesOutOfTheKeystoreAgain(t *testing.T) {
	old := keystore.Key{ID: "AKIDold", Secret: "old"}
	store := keys.NewMemory(map[string]keystore.Key{"taken": old})
	index := keystore.Index{Path: filepath.Join(t.TempDir(), "state", "keys.json")}
	if err := os.MkdirAll(index.Path, 0o700); err != nil { // no file can be put there
		t.Fatal(err)
	}
	for name, want := range map[string]string{
		"taken": "; nothing was stored, the old key is still there", "new": "; nothing was stored",
	} {
		a := Addition{Store: store, Index: index, Name: name, Replace: true}
		err := a.Put(t.Context(), keystore.Key{ID: "AKIDnew", Secret: "new"}, keystore.Entry{Name: name})
		if err == nil || !strings.HasSuffix(err.Error(), want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if got, err := store.Get(t.Context(), "taken"); err != nil || got != old {
		t.Errorf("the old key is %v, %v", got, err)
	}
	if _, err := store.Get(t.Context(), "new"); api.CodeOf(err) != api.NoKey {
		t.Errorf("the new key is still there: %v", err)
	}
}

// The bytes are those that were there, also where nothing can read them.
func TestUndoPutsTheOldBytesBack(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "keys")
	const passphrase = "correct horse battery staple"
	if err := keystore.CreateFile(dir, passphrase, 4); err != nil {
		t.Fatal(err)
	}
	store, err := keystore.Open(keystore.Options{Backend: "file", FileDir: dir})
	if err != nil {
		t.Fatal(err)
	}
	if err := store.Unlock(t.Context(), passphrase); err != nil {
		t.Fatal(err)
	}
	if err := store.Put(t.Context(), "taken", keystore.Key{ID: "AKIDold", Secret: "old"}); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "key.damaged.age"), []byte("damaged"), 0o600); err != nil {
		t.Fatal(err)
	}
	before := files(t, dir)
	index := keystore.Index{Path: filepath.Join(t.TempDir(), "state", "keys.json")}
	if err := os.MkdirAll(index.Path, 0o700); err != nil { // no file can be put there
		t.Fatal(err)
	}
	for _, name := range []string{"taken", "damaged", "new"} {
		a := Addition{Store: store, Index: index, Name: name, Replace: true}
		err := a.Put(t.Context(), keystore.Key{ID: "AKIDnew", Secret: "new"}, keystore.Entry{Name: name})
		if err == nil || !strings.Contains(err.Error(), "; nothing was stored") {
			t.Errorf("%s: %v", name, err)
		}
	}
	if after := files(t, dir); !maps.Equal(after, before) {
		t.Errorf("%d files before, other ones after: %d", len(before), len(after))
	}
}

// files are those of dir, with what is in them.
func files(t *testing.T, dir string) map[string]string {
	t.Helper()
	found := map[string]string{}
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		text, err := os.ReadFile(filepath.Join(dir, e.Name()))
		if err != nil {
			t.Fatal(err)
		}
		found[e.Name()] = string(text)
	}
	return found
}
