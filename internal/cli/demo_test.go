package cli

import (
	"path/filepath"
	"testing"

	"github.com/tcred/tcred/emulator"
	"github.com/tcred/tcred/internal/config"
)

func TestTheDaemonOfADemoThatWasKilledEndsByItselfAsSoonAsMayBe(t *testing.T) {
	s := newTestStage(t, emulator.Options{})
	c, _, err := config.Load(filepath.Join(s.dir, "config", "tcred", "config.toml"))
	if err != nil || c.IdleExit != config.MinIdleExit {
		t.Errorf("idle exit after %v, %v", c.IdleExit, err)
	}
}
