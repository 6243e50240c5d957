package keystore

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tcred/tcred/api"
	"github.com/tcred/tcred/credential"
	"github.com/tcred/tcred/internal/config"
	"github.com/tcred/tcred/internal/say"
)

const canary = "CanarySecretKey0123456789abcdefg"

var testKey = Key{"AKIDz8krbsJ5yKBZQpn74WFkmLPxfQv6", canary}

// TestMain lets this binary play the children that tests start.
func TestMain(m *testing.M) {
	switch {
	case len(os.Args) > 1 && os.Args[1] == ChildCommand:
		os.Exit(testChild(os.Getenv("TCRED_TEST_CHILD")))
	case os.Getenv("TCRED_TEST_LIMITED") != "":
		os.Exit(limitedChild(os.Getenv("TCRED_TEST_LIMITED")))
	case os.Getenv("TCRED_TEST_INDEX") != "":
		os.Exit(indexChild(os.Getenv("TCRED_TEST_INDEX")))
	}
	os.Exit(m.Run())
}

func wantCode(t *testing.T, err error, want api.Code) {
	t.Helper()
	var e *api.Error
	if !errors.As(err, &e) || e.Code != want {
		t.Fatalf("got %v (%s), want code %s", err, api.CodeOf(err), want)
	}
	if strings.Contains(say.Text(e), canary) {
		t.Fatalf("the error shows a secret")
	}
	if strings.Count(e.Message, "\n") != 0 || strings.HasSuffix(e.Message, ".") {
		t.Errorf("message %q is not one line without a period", e.Message)
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func TestAKeyPrintsWithoutItsSecret(t *testing.T) {
	for _, v := range []any{testKey, &testKey, []Key{testKey}, map[string]Key{"a": testKey}, struct{ K Key }{testKey}} {
		var out strings.Builder
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
			fmt.Fprintf(&out, verb+"\n", v)
		}
		fmt.Fprintln(&out, v)
		data, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		out.Write(data)
		slog.New(slog.NewJSONHandler(&out, nil)).Info("key", "key", v)
		slog.New(slog.NewTextHandler(&out, nil)).Info("key", "key", v)
		for _, secret := range []string{canary, fmt.Sprintf("%x", canary), testKey.ID} {
			if strings.Contains(out.String(), secret) {
				t.Errorf("%T shows %q in %s", v, secret, out.String())
			}
		}
	}
	if got := testKey.String(); got != "AKIDz8…fQv6 [redacted]" {
		t.Errorf("a key prints as %q", got)
	}
}

func TestMaskHidesTheMiddleAndShortIDsWhole(t *testing.T) {
	for id, want := range map[string]string{
		"AKIDz8krbsJ5yKBZQpn74WFkmLPxfQv6": "AKIDz8…fQv6", "AKID456789012345": "AKID45…2345", "AKID45678901234": "…", "": "…",
	} {
		if got := credential.Mask(id); got != want {
			t.Errorf("credential.Mask(%q) = %q, want %q", id, got, want)
		}
	}
}

func TestFileKeepsKeys(t *testing.T) { keepsKeys(t, newFileStore(t, nil)) }

// keepsKeys is the story that every store which can be written tells.
func keepsKeys(t *testing.T, s Store) {
	t.Helper()
	ctx := t.Context()
	other := Key{"AKIDother", "other"}
	check := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatalf("%v (hint %q)", err, api.AsError(err).Hint)
		}
	}
	check(s.Probe(ctx))
	_, err := s.Get(ctx, "work")
	wantCode(t, err, api.NoKey)
	if !strings.Contains(err.Error(), `no key "work"`) {
		t.Errorf("%v does not name the key", err)
	}
	check(s.Put(ctx, "work", other))
	check(s.Put(ctx, "work", testKey))
	check(s.Put(ctx, "identity", other))
	got, err := s.Get(ctx, "work")
	check(err)
	if got != testKey {
		t.Errorf("got back %v", got)
	}
	if got, err := s.Get(ctx, "identity"); err != nil || got != other {
		t.Errorf("got back %v, %v", got, err)
	}
	if names, err := s.List(ctx); !errors.Is(err, errors.ErrUnsupported) &&
		!slices.Equal(names, []string{"identity", "work"}) {
		t.Errorf("List = %v, %v", names, err)
	}
	check(s.Delete(ctx, "work"))
	wantCode(t, s.Delete(ctx, "work"), api.NoKey)
	_, err = s.Get(ctx, "work")
	wantCode(t, err, api.NoKey)
	check(s.Delete(ctx, "identity"))
}

func TestStoresRefuseNamesAndKeysThatCannotBe(t *testing.T) {
	for _, s := range []Store{
		newFileStore(t, nil), &keychain{executable: "/nonexistent", timeout: time.Second, notify: func(string) {}},
	} {
		t.Run(s.Name(), func(t *testing.T) { refusesWhatCannotBe(t, s) })
	}
}

func refusesWhatCannotBe(t *testing.T, s Store) {
	t.Helper()
	for _, name := range []string{"", "../x", "a/b", ".hidden", "-x", "a b", strings.Repeat("a", 65), "ключ"} {
		wantCode(t, s.Put(t.Context(), name, testKey), api.BadRequest)
		_, err := s.Get(t.Context(), name)
		wantCode(t, err, api.BadRequest)
		wantCode(t, s.Delete(t.Context(), name), api.BadRequest)
	}
	for _, k := range []Key{
		{}, {"AKID", ""}, {"", canary}, {"AK ID", canary}, {"AKID", canary + "\n"}, {"AK:ID", canary}, {"AKID", "é"},
	} {
		wantCode(t, s.Put(t.Context(), "work", k), api.BadRequest)
	}
}

func TestReadOnlyStoresSaySo(t *testing.T) {
	for _, backend := range []string{"dir", "env"} {
		s, err := Open(Options{Backend: backend})
		if err != nil || s.Name() != backend || !s.ReadOnly() {
			t.Fatalf("Open(%q) = %v, %v", backend, s, err)
		}
		wantCode(t, s.Put(t.Context(), "work", testKey), api.KeystoreReadOnly)
		wantCode(t, s.Delete(t.Context(), "work"), api.KeystoreReadOnly)
	}
}

func TestOpenKnowsEveryBackendOfAConfig(t *testing.T) {
	for _, backend := range config.Backends {
		s, err := Open(Options{Backend: backend})
		if err != nil || s.Name() != backend {
			t.Fatalf("Open(%q): %v", backend, err)
		}
		if writable := backend == "keychain" || backend == "file"; s.ReadOnly() == writable {
			t.Errorf("%s: read-only is %v", backend, s.ReadOnly())
		}
	}
	_, err := Open(Options{Backend: "vault"})
	wantCode(t, err, api.ConfigInvalid)
}

// testChild plays keychain children that tests need; the real one is "".
func testChild(part string) int {
	switch part {
	case "hang":
		hang()
	case "garbage":
		fmt.Println("this is not json")
		return 0
	case "silent":
		return 0
	case "waiting": // for a person who answers after a while
		fmt.Println(`{"waiting":true}`)
		time.Sleep(1600 * time.Millisecond)
		fmt.Println(`{"value":"AKIDlate\nlate"}`)
		return 0
	case "waiting forever":
		fmt.Println(`{"waiting":true}`)
		hang()
	case "interactive": // tells whether a person is there
		var r request
		if err := json.NewDecoder(os.Stdin).Decode(&r); err != nil {
			return 1
		}
		json.NewEncoder(os.Stdout).Encode(answer{Value: fmt.Sprintf("%v\nx", r.Interactive)})
		return 0
	case "environment": // tells what it has of its parent's
		bufio.NewReader(os.Stdin).ReadString('\n') // the parent would find the pipe broken
		secrets := 0
		for _, kv := range os.Environ() {
			secrets += strings.Count(kv, canary)
		}
		json.NewEncoder(os.Stdout).Encode(answer{Value: fmt.Sprintf("%s\n%d", os.Getenv("TCRED_TEST_OTHER"), secrets)})
		return 0
	case "family":
		return familyChild()
	}
	return ChildMain(os.Args[2:], os.Stdin, os.Stdout)
}

// hang waits until this process is killed. An empty select would not do: without cgo, as on Windows and wherever there
// is no C compiler, the runtime sees that nothing can wake it, and ends the process.
func hang() { time.Sleep(time.Hour) }
