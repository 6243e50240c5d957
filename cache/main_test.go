package cache

import (
	"bytes"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tcred/tcred/credential"
)

// childVar tells a child process of these tests which of children it runs.
const childVar = "TCRED_CACHE_TEST_CHILD"

var children = map[string]func(args []string) error{
	"count": countChild,
	"sweep": sweepChild,
	"hold":  holdChild,
	"put":   putChild,
	"limit": limitChild,
}

func TestMain(m *testing.M) {
	run, ok := children[os.Getenv(childVar)]
	if !ok {
		os.Exit(m.Run())
	}
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// child is this test binary again, as another process.
func child(t *testing.T, name string, args ...string) *exec.Cmd {
	t.Helper()
	cmd := exec.Command(os.Args[0], args...)
	cmd.Env = append(os.Environ(), childVar+"="+name)
	cmd.Stderr = os.Stderr
	t.Cleanup(func() {
		if cmd.Process != nil && cmd.ProcessState == nil {
			cmd.Process.Kill()
			cmd.Wait()
		}
	})
	return cmd
}

// startAndWaitReady starts a child and waits until it prints a line.
func startAndWaitReady(t *testing.T, cmd *exec.Cmd) {
	t.Helper()
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	if _, err := out.Read(make([]byte, 1)); err != nil {
		t.Fatalf("the child ended before it was ready: %v", err)
	}
}

// warnings collects what a Dir logs.
type warnings struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (w *warnings) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.text.Write(p)
}

func (w *warnings) lines() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return strings.FieldsFunc(w.text.String(), func(r rune) bool { return r == '\n' })
}

func (w *warnings) want(t *testing.T, n int) {
	t.Helper()
	if got := w.lines(); len(got) != n {
		t.Errorf("%d warnings, want %d:\n%s", len(got), n, strings.Join(got, "\n"))
	}
}

// openTest opens the cache at path as a process of its own would.
func openTest(path string) (*Dir, *warnings) {
	w := new(warnings)
	return Open(path, slog.New(slog.NewTextHandler(w, nil))), w
}

func newTest(t *testing.T) (*Dir, *warnings) {
	return openTest(filepath.Join(t.TempDir(), "tcred"))
}

func mustSealer(t testing.TB, secret credential.Secret) *Sealer {
	t.Helper()
	s, err := NewSealer(secret)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func mustPut(t testing.TB, d *Dir, key Key, s *Sealer, c credential.Credential) {
	t.Helper()
	if err := d.Put(t.Context(), key, s, c); err != nil {
		t.Fatal(err)
	}
}

func wantHit(t testing.TB, d *Dir, key Key, s *Sealer, want credential.Credential) {
	t.Helper()
	if got, ok := d.Get(t.Context(), key, s); !ok || !same(got, want) {
		t.Errorf("the entry is a miss or another credential (hit %v)", ok)
	}
}

func wantMiss(t testing.TB, d *Dir, key Key, s *Sealer) {
	t.Helper()
	if got, ok := d.Get(t.Context(), key, s); ok || got != (credential.Credential{}) {
		t.Errorf("got %v, want a miss", got)
	}
}

func same(a, b credential.Credential) bool {
	equal := a.Issued.Equal(b.Issued) && a.Expires.Equal(b.Expires)
	a.Issued, a.Expires, b.Issued, b.Expires = time.Time{}, time.Time{}, time.Time{}, time.Time{}
	return equal && a == b
}

const testSecret = credential.Secret("test-permanent-key")

var testKey = KeyOf("a source")

// testCredential is a credential whose parts all tell n, so that a mixture of two shows.
func testCredential(n int) credential.Credential {
	issued := time.Date(2026, 11, 21, 10, 0, 0, 123456789, time.UTC)
	return credential.Credential{
		SecretID: fmt.Sprintf("AKID-test-%d", n), SecretKey: credential.Secret(fmt.Sprintf("key-%d", n)),
		Token:  credential.Secret(strings.Repeat("t", 4000) + fmt.Sprintf("-%d", n)),
		Issued: issued, Expires: issued.Add(2 * time.Hour).Truncate(time.Second), RequestID: fmt.Sprintf("request-%d", n),
	}
}

// files lists the names in the cache directory that contain one of parts.
func files(t testing.TB, d *Dir, parts ...string) (found []string) {
	t.Helper()
	all, err := os.ReadDir(d.path)
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range all {
		for _, part := range parts {
			if strings.Contains(file.Name(), part) {
				found = append(found, file.Name())
			}
		}
	}
	return found
}
