package cli

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func writeLog(t *testing.T, path, text string) {
	t.Helper()
	f, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := f.WriteString(text); err != nil {
		t.Fatal(err)
	}
}

func numbered(from, to int) (text string) {
	for i := from; i <= to; i++ {
		text += fmt.Sprintf("line %d\n", i)
	}
	return text
}

func TestLogsPrintsTheLastLinesOfBothFiles(t *testing.T) {
	long := strings.Repeat("x", 100<<10) + "\n"
	for name, c := range map[string]struct {
		older, newer string
		n            int
		want         string
	}{
		"within the newer":  {"old\n", numbered(1, 9), 2, numbered(8, 9)},
		"just the newer":    {"old\n", numbered(1, 3), 3, numbered(1, 3)},
		"into the older":    {numbered(1, 3), numbered(4, 5), 4, numbered(2, 5)},
		"all there is":      {numbered(1, 3), numbered(4, 5), 99, numbered(1, 5)},
		"none":              {numbered(1, 3), numbered(4, 5), 0, ""},
		"no newer one":      {numbered(1, 3), "", 2, numbered(2, 3)},
		"no older one":      {"", numbered(1, 3), 2, numbered(2, 3)},
		"an unfinished one": {"", "line 1\nline", 1, "line"},
		"long lines":        {"", long + "a\n" + long, 2, "a\n" + long},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "daemon.log")
			writeLog(t, path, c.newer)
			if c.older != "" {
				writeLog(t, path+".1", c.older)
			}
			var out, said bytes.Buffer
			a := &app{out: &out, err: &said}
			if err := a.logs(t.Context(), path, c.n, false); err != nil {
				t.Fatal(err)
			}
			if out.String() != c.want || said.Len() > 0 {
				t.Errorf("got %d bytes, want %d, and %q on stderr", out.Len(), len(c.want), &said)
			}
		})
	}
}

func TestLogsSaysWhereTheLogWillBe(t *testing.T) {
	path := filepath.Join(t.TempDir(), "daemon.log")
	var out, said bytes.Buffer
	if err := (&app{out: &out, err: &said}).logs(t.Context(), path, 10, false); err != nil {
		t.Fatal(err)
	}
	if out.Len() > 0 || !strings.Contains(said.String(), path) {
		t.Errorf("got %q and %q", &out, &said)
	}
}

func TestLogsFollowsThroughANewFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "daemon.log")
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		var out, said bytes.Buffer
		done := make(chan error)
		go func() { done <- (&app{out: &out, err: &said}).logs(ctx, path, 10, true) }()
		for _, step := range []func() error{
			func() error { writeLog(t, path, "first\n"); return nil },
			func() error { writeLog(t, path, "second\n"); return os.Rename(path, path+".1") },
			func() error { writeLog(t, path+".1", "last words\n"); writeLog(t, path, "third\n"); return nil },
			func() error { writeLog(t, path, "fourth\n"); return nil },
		} {
			time.Sleep(logPoll + time.Millisecond)
			if err := step(); err != nil {
				t.Error(err)
			}
		}
		time.Sleep(logPoll + time.Millisecond)
		cancel()
		if err := <-done; err != exitStatus(130) {
			t.Errorf("interrupted: %v", err)
		}
		if want := "first\nsecond\nlast words\nthird\nfourth\n"; out.String() != want {
			t.Errorf("got %q, want %q", &out, want)
		}
	})
}
