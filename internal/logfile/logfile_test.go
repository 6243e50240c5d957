package logfile

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// logDir is a directory that is ours alone.
func logDir(t *testing.T) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "state")
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	return dir
}

func TestALogIsBoundedAndLosesNothingRecent(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state", "daemon.log")
	l, err := Open(path, nil)
	if err != nil {
		t.Fatal(err)
	}
	const writers, lines = 8, 3000
	var all sync.WaitGroup
	for w := range writers {
		all.Go(func() {
			for i := range lines {
				fmt.Fprintf(l, "writer %d line %5d %s\n", w, i, strings.Repeat("x", 100))
			}
		})
	}
	all.Wait()
	fmt.Fprintln(l, "the end")
	kept := 0
	for _, name := range []string{path, path + ".1"} {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if len(text) > Max {
			t.Errorf("%s is %d bytes long", filepath.Base(name), len(text))
		}
		kept += len(text)
		for line := range bytes.Lines(text) {
			if len(line) != len("writer 0 line 00000 \n")+100 && string(line) != "the end\n" {
				t.Fatalf("a torn line: %q", line)
			}
		}
		if name == path && !bytes.HasSuffix(text, []byte("the end\n")) {
			t.Error("the last line is lost")
		}
	}
	if kept < Max {
		t.Errorf("only %d bytes are kept", kept)
	}
	if files, _ := filepath.Glob(path + "*"); len(files) != 2 {
		t.Errorf("files: %v", files)
	}
	if info, _ := os.Stat(path); info.Mode().Perm()&0o077 != 0 && os.PathSeparator == '/' {
		t.Errorf("the log is %v", info.Mode())
	}
}

func TestALogIsAppendedTo(t *testing.T) {
	path := filepath.Join(logDir(t), "daemon.log")
	for _, line := range []string{"one\n", "two\n"} {
		l, err := Open(path, nil)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := l.Write([]byte(line)); err != nil {
			t.Fatal(err)
		}
		l.file.Close()
	}
	if text, _ := os.ReadFile(path); string(text) != "one\ntwo\n" {
		t.Errorf("got %q", text)
	}
}

func TestALogThatCannotStartAnewGrowsOn(t *testing.T) {
	path := filepath.Join(logDir(t), "daemon.log")
	if err := os.MkdirAll(filepath.Join(path+".1", "in the way"), 0o700); err != nil {
		t.Fatal(err)
	}
	l, err := Open(path, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer l.file.Close()
	line := []byte(strings.Repeat("x", Max/2))
	for range 4 {
		if n, err := l.Write(line); n != len(line) || err != nil {
			t.Fatal(n, err)
		}
	}
	if info, _ := os.Stat(path); info.Size() != int64(4*len(line)) {
		t.Errorf("%d bytes", info.Size())
	}
}

func TestAnUnusableLogPathIsAnError(t *testing.T) {
	dir := logDir(t)
	if err := os.WriteFile(filepath.Join(dir, "file"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{dir, filepath.Join(dir, "file", "daemon.log")} {
		if _, err := Open(path, nil); err == nil {
			t.Errorf("%s was opened", path)
		}
	}
}
