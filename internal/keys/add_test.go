package keys

import (
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
