package keys

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tcred/tcred/api"
	"github.com/tcred/tcred/internal/profile"
	"github.com/tcred/tcred/keystore"
)

// newKeeper keeps keys in a file keystore that its passphrase file opens, or as settings under [keystore] say.
func newKeeper(t *testing.T, settings string) Keeper {
	t.Helper()
	dir := t.TempDir()
	files, passphrase, config := filepath.Join(dir, "keys"), filepath.Join(dir, "passphrase"), filepath.Join(dir, "config.toml")
	if settings == "" {
		settings = fmt.Sprintf("backend = 'file'\npassphrase_file = '%s'\n", passphrase)
	}
	if err := keystore.CreateFile(files, "correct horse", 4); err != nil {
		t.Fatal(err)
	}
	for path, text := range map[string]string{passphrase: "correct horse", config: "[keystore]\n" + settings} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	index := keystore.Index{Path: filepath.Join(dir, "state", "keys.json")}
	return Keeper{Set: profile.Open(profile.Options{ConfigPath: config, Index: index, FileDir: files}), Index: index}
}

func TestAKeeperStoresAKeyWithWhatIsKnownOfIt(t *testing.T) {
	k := newKeeper(t, "")
	in := api.NewKey{SecretID: "AKIDx", SecretKey: "secret", Site: "cn", AccountID: "1", UserID: "2", Arn: "a", Type: keystore.IdentitySub}
	if err := k.Add(t.Context(), "work", in); err != nil {
		t.Fatal(err)
	}
	store, err := k.Set.Store()
	if err != nil {
		t.Fatal(err)
	}
	if got, err := store.Get(t.Context(), "work"); err != nil || got != (keystore.Key{ID: "AKIDx", Secret: "secret"}) {
		t.Errorf("%v, %v", got, err)
	}
	entries, err := k.Index.Load()
	if err != nil || len(entries) != 1 {
		t.Fatalf("%v, %v", entries, err)
	}
	e := entries[0]
	if e.Name != "work" || e.SecretID != "AKIDx" || e.Site != "cn" || e.AccountID != "1" || e.UserID != "2" || e.Type != keystore.IdentitySub {
		t.Errorf("the index has %+v", e)
	}
	if err := k.Add(t.Context(), "work", in); api.CodeOf(err) != api.BadRequest || !strings.Contains(err.Error(), "already") {
		t.Errorf("once more: %v", err)
	}
	in.Replace, in.SecretID = true, "AKIDy"
	if err := k.Add(t.Context(), "work", in); err != nil {
		t.Errorf("in its place: %v", err)
	}
}

func TestAKeeperRefusesWhatIsNoKeyAndAStoreThatIsOnlyRead(t *testing.T) {
	k := newKeeper(t, "")
	for name, in := range map[string]api.NewKey{
		"work": {SecretID: "other", SecretKey: "AKIDx"}, "../x": {SecretID: "AKIDx", SecretKey: "y"}, "none": {},
	} {
		if err := k.Add(t.Context(), name, in); api.CodeOf(err) != api.BadRequest || !strings.HasSuffix(err.Error(), "nothing was stored") {
			t.Errorf("%s: %v", name, err)
		}
	}
	err := newKeeper(t, "backend = 'env'\n").Add(t.Context(), "work", api.NewKey{SecretID: "AKIDx", SecretKey: "y"})
	if api.CodeOf(err) != api.KeystoreReadOnly {
		t.Errorf("a store that is only read: %v", err)
	}
}

// daemon answers with an error, nil for none.
type daemon struct{ err error }

func (d daemon) AddKey(context.Context, string, api.NewKey) error { return d.err }

func TestAKeyThatTheDaemonIsToStoreMayHaveBeenStoredWhereItFallsSilent(t *testing.T) {
	k := newKeeper(t, "")
	store, err := k.Set.Store()
	if err != nil {
		t.Fatal(err)
	}
	for code, want := range map[api.Code]string{
		api.NoDaemon: `key "work" may be stored or not`, api.Timeout: `key "work" may be stored or not`, api.KeystoreLocked: "locked",
	} {
		a := Addition{Store: store, Index: k.Index, Name: "work", Daemon: daemon{&api.Error{Code: code, Message: "locked"}}}
		if err := a.Look(t.Context()); err != nil {
			t.Fatal(err)
		}
		err := a.Put(t.Context(), keystore.Key{ID: "AKIDx", Secret: "y"}, keystore.Entry{Name: "work"})
		if api.CodeOf(err) != code || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", code, err)
		}
	}
	if err := k.Add(t.Context(), "work", api.NewKey{SecretID: "AKIDx", SecretKey: "y"}); err != nil {
		t.Fatal(err)
	}
	a := Addition{Store: store, Index: k.Index, Name: "work", Daemon: daemon{}}
	if err := a.Look(t.Context()); err == nil || !strings.Contains(err.Error(), `there is a key "work" already`) {
		t.Errorf("a name that is taken: %v", err)
	}
}
