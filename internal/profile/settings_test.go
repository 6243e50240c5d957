package profile

import (
	"log/slog"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/tcred/tcred/keystore"
)

func TestAServiceNeverEndsForIdleness(t *testing.T) {
	dir := t.TempDir()
	config := filepath.Join(dir, "config.toml")
	if err := os.WriteFile(config, []byte("idle_exit = \"1h\"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	set := Open(Options{
		ConfigPath: config, Index: keystore.Index{Path: filepath.Join(dir, "state", "keys.json")}, FileDir: dir,
		Log: slog.New(slog.DiscardHandler),
	})
	if got := set.IdleExit(false); got != time.Hour {
		t.Errorf("a helper's daemon ends after %s", got)
	}
	if got := set.IdleExit(true); got != 0 {
		t.Errorf("a service ends after %s", got)
	}
}
