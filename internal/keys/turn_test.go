package keys

import (
	"os"
	"sync"
	"testing"
	"time"
)

func TestCallsPastTheDaemonTakeTurns(t *testing.T) {
	dir := t.TempDir()
	if err := os.Chmod(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	const calls = 8
	began := time.Now()
	var all sync.WaitGroup
	for range calls {
		all.Go(func() { AwaitTurn(t.Context(), dir) })
	}
	all.Wait()
	if took := time.Since(began); took < (calls-1)*betweenTurns {
		t.Errorf("%d calls went out in %s", calls, took)
	}
	began = time.Now()
	AwaitTurn(t.Context(), dir+"/none")
	if took := time.Since(began); took > betweenTurns {
		t.Errorf("without a place for the file: %s", took)
	}
}
