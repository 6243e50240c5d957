package reliability

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/gofrs/flock"

	"github.com/tcred/tcred/api"
	"github.com/tcred/tcred/credential"
	"github.com/tcred/tcred/emulator"
)

// holdEntries takes the lock of every entry that the cache has, as a process that hangs does.
func (w *world) holdEntries() {
	w.t.Helper()
	files, err := filepath.Glob(filepath.Join(w.cache, "*.lock"))
	if err != nil || len(files) == 0 {
		w.t.Fatalf("no locks in %s: %v", w.cache, err)
	}
	for _, file := range files {
		lock := flock.New(file)
		if held, err := lock.TryLock(); err != nil || !held {
			w.t.Fatalf("%s: %t, %v", file, held, err)
		}
		w.t.Cleanup(func() { lock.Close() })
	}
}

// dropEntries removes the entries, and leaves their locks.
func (w *world) dropEntries() {
	w.t.Helper()
	files, err := filepath.Glob(filepath.Join(w.cache, "*.cred"))
	if err != nil || len(files) == 0 {
		w.t.Fatalf("no entries in %s: %v", w.cache, err)
	}
	for _, file := range files {
		if err := os.Remove(file); err != nil {
			w.t.Fatal(err)
		}
	}
}

// ask runs the helper, or tcred get --no-daemon, and says what it printed, and after how long.
func (w *world) ask(noDaemon bool) (out string, took time.Duration) {
	w.t.Helper()
	cmd := w.command(context.Background(), "tcred-helper")
	if noDaemon {
		cmd = w.command(context.Background(), "tcred", "get", "--no-daemon")
	}
	var stderr strings.Builder
	cmd.Stderr = &stderr
	began := time.Now()
	text, err := cmd.Output()
	took = time.Since(began)
	if err != nil {
		w.t.Errorf("after %s: %v\n%s", took, err, stderr.String())
	}
	return string(text), took
}

// A process that holds an entry's lock and hangs costs its callers time and one more call, never the answer: tools give
// up on their helper after 10 s.
func TestAHeldCacheLockEndsInsideTheCallers9s(t *testing.T) {
	needReal(t)
	for name, tt := range map[string]struct {
		delay    time.Duration // of STS
		old      bool          // a credential that is still good, but under half of its short life
		noDaemon bool
		most     time.Duration
	}{
		"cold":                         {0, false, false, api.AnswerTimeout},
		"cold, STS 3 s":                {3 * time.Second, false, false, api.AnswerTimeout},
		"cold, STS 3 s, no daemon":     {3 * time.Second, false, true, api.AnswerTimeout},
		"an old one, STS 3 s":          {3 * time.Second, true, false, 5500 * time.Millisecond}, // 5 s, and a daemon's start
		"an old one, no daemon, STS 3": {3 * time.Second, true, true, 5500 * time.Millisecond},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, shipped, "")
			const life = 20 * time.Second
			if tt.old {
				w.cloud.suffer(emulator.Fault{Lifetime: life + credential.Margin})
			}
			first, _ := w.ask(true)
			if tt.old {
				time.Sleep(life/2 + 500*time.Millisecond)
			}
			w.holdEntries()
			if !tt.old {
				w.dropEntries()
			}
			w.cloud.suffer(emulator.Fault{Delay: tt.delay})
			got, took := w.ask(tt.noDaemon)
			t.Logf("%s after %s", name, took.Round(time.Millisecond))
			if took > tt.most || (got == first) != tt.old {
				t.Errorf("after %s, want %s at most; the old one: %t", took, tt.most, got == first)
			}
		})
	}
}
