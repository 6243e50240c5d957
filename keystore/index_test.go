package keystore

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tcred/tcred/api"
)

func newIndex(t *testing.T) Index {
	return Index{Path: filepath.Join(t.TempDir(), "state", "keys.json")}
}

func names(entries []Entry) []string {
	var out []string
	for _, e := range entries {
		out = append(out, e.Name)
	}
	return out
}

func TestIndexKeepsEntriesSortedAndReplacesByName(t *testing.T) {
	x := newIndex(t)
	if got, err := x.Load(); err != nil || len(got) != 0 {
		t.Fatalf("a missing index is %v, %v", got, err)
	}
	added := time.Date(2026, 11, 21, 1, 2, 3, 4, time.UTC)
	work := Entry{"work", testKey.ID, NewGeneration(), "intl", "100000000001", "100000000002", "qcs::cam::uin/1:uin/2",
		IdentitySub, added}
	for _, e := range []Entry{{Name: "work", SecretID: "old"}, {Name: "b"}, {Name: "a"}, work} {
		if err := x.Put(t.Context(), e); err != nil {
			t.Fatal(err)
		}
	}
	got, err := x.Load()
	if err != nil || !slices.Equal(names(got), []string{"a", "b", "work"}) || got[2] != work {
		t.Errorf("%+v, %v", got, err)
	}
	if info, err := os.Stat(x.Path); err != nil || ownersExist && info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info.Mode(), err)
	}
	for range 2 {
		if err := x.Remove(t.Context(), "b"); err != nil {
			t.Fatal(err)
		}
	}
	if got, err := x.Load(); err != nil || !slices.Equal(names(got), []string{"a", "work"}) {
		t.Errorf("%v, %v", names(got), err)
	}
	wantCode(t, x.Put(t.Context(), Entry{Name: "../x"}), api.BadRequest)
}

func TestIndexThatDoesNotLoadIsNeverWrittenOver(t *testing.T) {
	for want, text := range map[string]string{
		"damaged":         `{"version":1,"keys":[`,
		"unexpected end":  ``,
		"unknown field":   `{"version":1,"keys":[{"name":"a","colour":"red"}]}`,
		"after top-level": `{"version":1,"keys":[]} trailing`,
		"newer tcred":     `{"version":2,"keys":{"a":{}},"more":1}`,
		"version 0":       `{"keys":[]}`,
		"twice":           `{"version":1,"keys":[{"name":"a"},{"name":"b"},{"name":"a"}]}`,
		"no name":         `{"version":1,"keys":[{"name":"../a"}]}`,
	} {
		t.Run(want, func(t *testing.T) {
			x := newIndex(t)
			if err := os.Mkdir(filepath.Dir(x.Path), 0o700); err != nil {
				t.Fatal(err)
			}
			write(t, x.Path, text, 0o600)
			_, err := x.Load()
			wantCode(t, err, api.ConfigInvalid)
			if !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), x.Path) {
				t.Error(err)
			}
			cure := "repair it, or move it away"
			if want == "newer tcred" {
				cure = "upgrade tcred"
			}
			if hint := api.AsError(err).Hint; !strings.HasPrefix(hint, cure) {
				t.Errorf("the hint is %q", hint)
			}
			wantCode(t, x.Put(t.Context(), Entry{Name: "b"}), api.ConfigInvalid)
			wantCode(t, x.Remove(t.Context(), "a"), api.ConfigInvalid)
			if after, err := os.ReadFile(x.Path); err != nil || string(after) != text {
				t.Errorf("%q became %q, %v", text, after, err)
			}
		})
	}
}

// The file of one tcred is read by the next.
func TestIndexHasThisFormat(t *testing.T) {
	const text = `{
  "version": 1,
  "keys": [
    {
      "name": "a",
      "secret_id": "AKIDa",
      "generation": "0",
      "type": "root"
    },
    {
      "name": "b",
      "secret_id": "AKIDb",
      "generation": "0123456789abcdef",
      "site": "intl",
      "account_id": "100000000001",
      "user_id": "100000000002",
      "arn": "qcs::cam::uin/100000000001:uin/100000000002",
      "type": "sub-account",
      "added": "2026-11-21T01:02:03Z"
    }
  ]
}
`
	x := newIndex(t)
	for _, e := range []Entry{{
		"b", "AKIDb", "0123456789abcdef", "intl", "100000000001", "100000000002",
		"qcs::cam::uin/100000000001:uin/100000000002", IdentitySub, time.Date(2026, 11, 21, 1, 2, 3, 0, time.UTC),
	}, {Name: "a", SecretID: "AKIDa", Generation: "0", Type: IdentityRoot}} {
		if err := x.Put(t.Context(), e); err != nil {
			t.Fatal(err)
		}
	}
	if got, err := os.ReadFile(x.Path); err != nil || string(got) != text {
		t.Errorf("got\n%s, %v", got, err)
	}
}

func TestIndexIsSortedHoweverItWasWritten(t *testing.T) {
	got, err := decodeIndex([]byte(`{"version":1,"keys":[{"name":"b"},{"name":"c"},{"name":"a"}]}`))
	if err != nil || !slices.Equal(names(got), []string{"a", "b", "c"}) {
		t.Errorf("%q, %v", names(got), err)
	}
}

// What cannot be loaded again is not written.
func TestIndexNeverGrowsOverWhatItReads(t *testing.T) {
	x := newIndex(t)
	if err := x.Put(t.Context(), Entry{Name: "a"}); err != nil {
		t.Fatal(err)
	}
	err := x.Put(t.Context(), Entry{Name: "b", Arn: strings.Repeat("x", maxIndex)})
	wantCode(t, err, api.KeystoreFailed)
	if got, err := x.Load(); err != nil || !slices.Equal(names(got), []string{"a"}) {
		t.Errorf("%v, %v", names(got), err)
	}
}

func TestIndexRemovesWhatKilledWritersLeft(t *testing.T) {
	x := newIndex(t)
	dir := filepath.Dir(x.Path)
	left := leave(t, filepath.Join(dir, ".keys.json-123"))
	leave(t, filepath.Join(dir, ".tmp-of-somebody"))
	if err := x.Put(t.Context(), Entry{Name: "a"}); err != nil {
		t.Fatal(err)
	}
	wantGone(t, left...)
	files, err := os.ReadDir(dir)
	if err != nil || len(files) != 3 {
		t.Errorf("not just index, lock and somebody's: %v, %v", files, err)
	}
}

const indexWriters, indexEntries = 4, 10

func TestIndexLosesNothingAmongProcesses(t *testing.T) {
	x := newIndex(t)
	var children []*exec.Cmd
	for i := range indexWriters {
		child := exec.Command(os.Args[0])
		child.Env = append(os.Environ(), fmt.Sprintf("TCRED_TEST_INDEX=%d %s", i, x.Path))
		child.Stderr = os.Stderr
		if err := child.Start(); err != nil {
			t.Fatal(err)
		}
		children = append(children, child)
	}
	for _, child := range children {
		if err := child.Wait(); err != nil {
			t.Error(err)
		}
	}
	got, err := x.Load()
	if err != nil || len(got) != indexWriters*indexEntries {
		t.Errorf("%d of %d entries are left, %v", len(got), indexWriters*indexEntries, err)
	}
}

func TestWhoeverHoldsTheIndexWritesItAndNobodyElse(t *testing.T) {
	x := newIndex(t)
	held, unlock, err := x.Lock(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if err := held.Put(t.Context(), Entry{Name: "a"}); err != nil {
		t.Fatal(err)
	}
	soon, cancel := context.WithTimeout(t.Context(), 4*lockPoll)
	defer cancel()
	err = x.Put(soon, Entry{Name: "b"})
	wantCode(t, err, api.KeystoreTimeout)
	if hint := api.AsError(err).Hint; !strings.HasPrefix(hint, "is a tcred add or remove waiting for somebody?") {
		t.Errorf("the hint is %q", hint)
	}
	wantCode(t, x.Remove(soon, "a"), api.KeystoreTimeout)
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if err := x.Put(ended, Entry{Name: "b"}); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	if got, err := x.Load(); err != nil || !slices.Equal(names(got), []string{"a"}) {
		t.Errorf("%v, %v", names(got), err)
	}
	unlock()
	if err := x.Put(t.Context(), Entry{Name: "b"}); err != nil {
		t.Error(err)
	}
}

// On a file system without locks nobody waits, and yet nothing is lost: who was outrun begins anew.
func TestWithoutLocksAWriterThatWasOutrunBeginsAnew(t *testing.T) {
	x := newIndex(t)
	added := time.Date(2026, 11, 21, 1, 2, 3, 0, time.FixedZone("", 8*60*60))
	if err := x.Put(t.Context(), Entry{Name: "first", Added: added}); err != nil {
		t.Fatal(err)
	}
	lockless := Index{Path: x.Path, locked: true, lockless: true}
	others := leave(t, filepath.Join(filepath.Dir(x.Path), ".keys.json-of-another"))
	tries := 0
	err := lockless.change(t.Context(), func(entries []Entry) []Entry {
		if tries++; tries == 1 {
			if err := x.Put(t.Context(), Entry{Name: "faster"}); err != nil {
				t.Error(err)
			}
			others = leave(t, filepath.Join(filepath.Dir(x.Path), ".keys.json-of-another"))
		}
		return append(entries, Entry{Name: "mine"})
	})
	got, load := x.Load()
	if err != nil || load != nil || tries != 2 || !slices.Equal(names(got), []string{"faster", "first", "mine"}) {
		t.Errorf("after %d tries: %v, %v, %v", tries, names(got), err, load)
	}
	for _, path := range others {
		if _, err := os.Lstat(path); err != nil {
			t.Error("another writer's file is gone: ", err)
		}
	}
}

func TestWithoutLocksTheIndexIsWritten(t *testing.T) {
	strace, err := exec.LookPath("strace")
	if err != nil {
		if os.Getenv("TCRED_TEST_REAL") == "1" {
			t.Fatal("TCRED_TEST_REAL=1, but this test needs strace: ", err)
		}
		t.Skip("needs strace: ", err)
	}
	for _, errno := range []string{"ENOLCK", "ENOSYS", "EOPNOTSUPP"} {
		x := newIndex(t)
		child := exec.Command(strace, "-f", "-qq", "-o", os.DevNull, "-e", "trace=flock", "-e", "inject=flock:error="+errno, os.Args[0])
		child.Env = append(os.Environ(), "TCRED_TEST_INDEX=0 "+x.Path)
		if out, err := child.CombinedOutput(); err != nil {
			t.Errorf("%s: %v\n%s", errno, err, out)
		}
		if got, err := x.Load(); err != nil || len(got) != indexEntries {
			t.Errorf("%s: %d entries, %v", errno, len(got), err)
		}
	}
}

func TestTheIndexLockFollowsNoLink(t *testing.T) {
	x := newIndex(t)
	if err := os.Mkdir(filepath.Dir(x.Path), 0o700); err != nil {
		t.Fatal(err)
	}
	target := filepath.Join(t.TempDir(), "planted")
	if err := os.Symlink(target, x.Path+".lock"); err != nil {
		t.Skip("no links here: ", err)
	}
	err := x.Put(t.Context(), Entry{Name: "a"})
	if _, missing := os.Lstat(target); missing == nil || ownersExist && err == nil {
		t.Errorf("through the link: %v", err)
	}
}

// indexChild is a process that writes entries.
func indexChild(what string) int {
	writer, path, _ := strings.Cut(what, " ")
	for i := range indexEntries {
		if err := (Index{Path: path}).Put(context.Background(), Entry{Name: fmt.Sprintf("w%s-%d", writer, i)}); err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
	}
	return 0
}

func TestGenerationsDiffer(t *testing.T) {
	a, b := NewGeneration(), NewGeneration()
	if a == b || len(a) != 16 || strings.Trim(a, "0123456789abcdef") != "" {
		t.Error(a, b)
	}
}

func FuzzIndex(f *testing.F) {
	whole, err := encodeIndex([]Entry{{Name: "b", SecretID: "AKID", Added: time.Unix(1, 5)},
		{Name: "a", Type: IdentityRoot}})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(whole)
	f.Add([]byte(`{"version":1,"keys":[{"name":"a","added":"9999-12-31T23:59:59-01:00"}]}`))
	f.Add([]byte(`{"version":2}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		entries, err := decodeIndex(data)
		if err != nil {
			return
		}
		for i, e := range entries {
			if !api.ValidName(e.Name) || i > 0 && entries[i-1].Name >= e.Name {
				t.Fatalf("names %q", names(entries))
			}
		}
		text, err := encodeIndex(entries)
		if err != nil {
			t.Fatal(err)
		}
		again, err := decodeIndex(text)
		if err != nil {
			t.Fatal(err)
		}
		if !slices.EqualFunc(entries, again, sameEntry) {
			t.Fatalf("%+v became %+v", entries, again)
		}
		if twice, err := encodeIndex(again); err != nil || !bytes.Equal(text, twice) {
			t.Fatalf("%s\nbecame\n%s (%v)", text, twice, err)
		}
	})
}

// sameEntry compares times by the instant.
func sameEntry(a, b Entry) bool {
	same := a.Added.Equal(b.Added)
	a.Added, b.Added = time.Time{}, time.Time{}
	return same && a == b
}

// What stands in a field reaches the terminal, by list, status, doctor and errors.
func TestIndexHoldsPlainTextOnly(t *testing.T) {
	for label, odd := range map[string]string{
		"escape": "\x1b[2J", "bidi": "\u202e", "control of Latin-1": "\u009b", "line": "\n", "blank": "a b",
		"long": strings.Repeat("x", maxField+1),
	} {
		for field, e := range map[string]Entry{
			"secret_id": {SecretID: odd}, "generation": {Generation: odd}, "site": {Site: odd}, "account_id": {AccountID: odd},
			"user_id": {UserID: odd}, "arn": {Arn: odd}, "type": {Type: odd},
		} {
			e.Name = "work"
			x := newIndex(t)
			if err := x.Put(t.Context(), e); err == nil {
				t.Errorf("%s in %s was written", label, field)
			}
			must(t, os.MkdirAll(filepath.Dir(x.Path), 0o700))
			text, err := encodeIndex([]Entry{e})
			must(t, err)
			write(t, x.Path, string(text), 0o600)
			_, err = x.Load()
			wantCode(t, err, api.ConfigInvalid)
			if !strings.Contains(err.Error(), field) || strings.Contains(err.Error(), odd) && label != "blank" {
				t.Errorf("%s in %s: %q", label, field, err)
			}
		}
	}
}
