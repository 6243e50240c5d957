package demo

import (
	"path/filepath"
	"testing"

	"github.com/tcred/tcred/emulator"
	"github.com/tcred/tcred/internal/config"
)

func TestTheDaemonOfADemoThatWasKilledEndsByItselfAsSoonAsMayBe(t *testing.T) {
	w := newTestWorld(t, emulator.Options{})
	c, _, err := config.Load(filepath.Join(w.dir, "config", "tcred", "config.toml"))
	if err != nil || c.IdleExit != config.MinIdleExit {
		t.Errorf("idle exit after %v, %v", c.IdleExit, err)
	}
}
