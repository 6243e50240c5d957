package cli

import (
	"os"
	"sync"
	"testing"
	"time"

	"github.com/tcred/tcred/internal/place/dirs"
)

func TestCallsPastTheDaemonTakeTurns(t *testing.T) {
	p := dirs.Places{State: t.TempDir()}
	if err := os.Chmod(p.State, 0o700); err != nil {
		t.Fatal(err)
	}
	const calls = 8
	began := time.Now()
	var all sync.WaitGroup
	for range calls {
		all.Go(func() { awaitTurn(t.Context(), p) })
	}
	all.Wait()
	if took := time.Since(began); took < (calls-1)*betweenTurns {
		t.Errorf("%d calls went out in %s", calls, took)
	}
	began = time.Now()
	awaitTurn(t.Context(), dirs.Places{State: p.State + "/none"})
	if took := time.Since(began); took > betweenTurns {
		t.Errorf("without a place for the file: %s", took)
	}
}
