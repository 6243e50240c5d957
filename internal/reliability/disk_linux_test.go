package reliability

import (
	"bytes"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/tcred/tcred/cache"
	"github.com/tcred/tcred/internal/profile"
	"github.com/tcred/tcred/keystore"
)

// What lies in the world's cache directory, read as the next process would read it.

// openCache is the cache as a process of its own opens it, and what it warns of.
func (w *world) openCache() (*cache.Dir, *lines) {
	said := new(lines)
	return cache.Open(w.cache, slog.New(slog.NewTextHandler(said, nil))), said
}

// keyOf is the cache key of a profile's entry.
func (w *world) keyOf(name string) cache.Key {
	w.t.Helper()
	set := profile.Open(profile.Options{ConfigPath: w.config, Index: keystore.Index{Path: filepath.Join(w.dir, "state", "tcred", "keys.json")}})
	p, err := set.Lookup(w.t.Context(), name)
	if err != nil {
		w.t.Fatal(err)
	}
	return cache.KeyOf(p.Source.ID())
}

// temps are the temporary files of entries being written, or left by those who were killed at it.
func (w *world) temps() []string { return w.files(".tmp") }

// files are the names in the cache directory that hold part.
func (w *world) files(part string) (found []string) {
	dir, err := os.Open(w.cache)
	if err != nil {
		return nil // not made yet
	}
	defer dir.Close()
	names, _ := dir.Readdirnames(-1) // a look is enough
	for _, name := range names {
		if strings.Contains(name, part) {
			found = append(found, name)
		}
	}
	return found
}

// tempsAfter waits for the temporary files there are now to go, and returns those that outlive limit.
func (w *world) tempsAfter(limit time.Duration) []string {
	left := w.temps()
	for end := time.Now().Add(limit); len(left) > 0 && time.Now().Before(end); time.Sleep(2 * time.Millisecond) {
		left = both(left, w.temps())
	}
	return left
}

// wantLocksFree takes every lock file's lock, at once: nobody lives who may hold one.
func (w *world) wantLocksFree(t *testing.T) {
	t.Helper()
	locks, err := filepath.Glob(filepath.Join(w.cache, "*.lock"))
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range locks {
		file, err := os.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		if err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
			t.Errorf("%s is still locked: %v", filepath.Base(path), err)
		}
		file.Close()
	}
}

// dead waits until every thread of the process has ended: one may still be in a write when the first is gone. A process
// that nobody has reaped yet is dead.
func dead(pid int, limit time.Duration) bool {
	for end := time.Now().Add(limit); time.Now().Before(end); time.Sleep(time.Millisecond) {
		stats, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/stat", pid))
		if err == nil && !slices.ContainsFunc(stats, lives) {
			return true
		}
	}
	return false
}

func lives(stat string) bool { return !strings.Contains("ZX", state(stat)) }

// state is the letter for a thread's state in its stat file, "" if the thread is gone.
func state(stat string) string {
	text, err := os.ReadFile(stat)
	i := bytes.LastIndex(text, []byte(") ")) // the thread's name, in brackets, may hold anything
	if err != nil || i < 0 {
		return ""
	}
	return string(text[i+2 : i+3])
}

// stopDaemon asks the daemon to end, and sees it gone.
func (w *world) stopDaemon() {
	w.t.Helper()
	pid := w.pid()
	if err := w.client.Stop(w.t.Context()); err != nil {
		w.t.Error(err)
	}
	if !dead(pid, 10*time.Second) {
		w.t.Errorf("the daemon, process %d, does not stop", pid)
	}
}

func both(a, b []string) (common []string) {
	for _, x := range a {
		for _, y := range b {
			if x == y {
				common = append(common, x)
			}
		}
	}
	return common
}

// lines is text that many goroutines may write.
type lines struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}
