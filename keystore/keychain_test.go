package keystore

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"testing"
	"time"

	keyring "github.com/zalando/go-keyring"

	"github.com/tcred/tcred/api"
	"github.com/tcred/tcred/credential"
	"github.com/tcred/tcred/internal/say"
)

// newKeychain is a keychain store whose child is this binary in the part named.
func newKeychain(t *testing.T, part string, timeout, promptTimeout time.Duration) (*keychain, *[]string) {
	t.Helper()
	t.Setenv("TCRED_TEST_CHILD", part)
	said := new([]string)
	return &keychain{os.Args[0], true, func(line string) { *said = append(*said, line) }, timeout, promptTimeout}, said
}

func TestKeychainChildThatHangsIsKilledAtItsDeadline(t *testing.T) {
	k, said := newKeychain(t, "hang", 300*time.Millisecond, time.Hour)
	_, err := k.Get(t.Context(), "work")
	wantCode(t, err, api.KeystoreTimeout)
	if !strings.Contains(err.Error(), `within 300ms, so key "work" cannot be read`) || len(*said) != 0 {
		t.Error(err, *said)
	}
}

func TestKeychainWaitsLongerForAPersonAndSaysSo(t *testing.T) {
	k, said := newKeychain(t, "waiting", 1500*time.Millisecond, time.Minute)
	got, err := k.Get(t.Context(), "work")
	if err != nil || got.ID != "AKIDlate" || len(*said) != 1 {
		t.Errorf("%v, %v, said %q", got, err, *said)
	}
	k, _ = newKeychain(t, "waiting forever", time.Minute, 300*time.Millisecond)
	wantCode(t, k.Unlock(t.Context(), ""), api.KeystoreTimeout)
}

func TestKeychainCallEndsWithItsCaller(t *testing.T) {
	k, _ := newKeychain(t, "hang", time.Minute, time.Hour)
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	wantCode(t, k.Put(ctx, "work", testKey), api.KeystoreTimeout)
	ctx, cancel = context.WithCancel(t.Context())
	time.AfterFunc(100*time.Millisecond, cancel)
	if err := k.Probe(ctx); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

func TestKeychainChildThatBreaksIsAFailure(t *testing.T) {
	for _, part := range []string{"garbage", "silent"} {
		k, _ := newKeychain(t, part, time.Minute, time.Hour)
		_, err := k.Get(t.Context(), "work")
		wantCode(t, err, api.KeystoreFailed)
	}
	k, _ := newKeychain(t, "", time.Minute, time.Hour)
	k.executable = "/nonexistent/tcred"
	err := k.Put(t.Context(), "work", testKey)
	wantCode(t, err, api.KeystoreFailed)
	if !strings.Contains(err.Error(), `the keychain child failed, so key "work" cannot be stored`) {
		t.Error(err)
	}
}

func TestKeychainChildIsToldWhetherAPersonIsThere(t *testing.T) {
	for _, there := range []bool{true, false} {
		k, _ := newKeychain(t, "interactive", time.Minute, time.Hour)
		k.interactive = there
		if got, err := k.Get(t.Context(), "work"); err != nil || got.ID != fmt.Sprint(there) {
			t.Errorf("a person %v: the child heard %q, %v", there, got.ID, err)
		}
	}
}

func TestChildSaysThatItWaitsAndThenItsAnswer(t *testing.T) {
	in, parent := io.Pipe()
	defer parent.Close()
	var out bytes.Buffer
	status := request{Op: opGet, Name: "work"}.answerTo(&out, in, func(r request, waiting func()) answer {
		waiting()
		return answer{Value: r.Name}
	})
	if want := "{\"waiting\":true}\n{\"value\":\"work\"}\n"; status != say.ExitOK || out.String() != want {
		t.Errorf("status %d, %q", status, out.String())
	}
}

func TestEveryFailureOfAKeychainIsExplained(t *testing.T) {
	for want, tt := range map[string]struct {
		err  error
		code api.Code
		hint string
	}{
		`nothing here, so key "work" cannot be read`: {
			&absentError{"nothing here", "the cure"}, api.KeystoreAbsent, "the cure"},
		`the keychain holds no key "work"`: {keyring.ErrNotFound, api.NoKey, "tcred add work"},
		`the keychain is locked, so key "work" cannot be read`: {
			errLocked, api.KeystoreLocked, "tcred unlock; no screen here? tcred init --keystore file"},
		`the keychain has no keyring yet, so key "work" cannot be read`: {
			errNew, api.KeystoreLocked, "tcred unlock makes one; no screen here? tcred init --keystore file"},
		`the keychain stays locked, for its password window was dismissed, so key "work" cannot be read`: {
			errDismissed, api.KeystoreLocked, "tcred unlock; no screen here? tcred init --keystore file"},
		`the keychain failed (broken), so key "work" cannot be read`: {
			errors.New("broken"), api.KeystoreFailed, "tcred doctor; or tcred init --keystore file"},
	} {
		err := request{Op: opGet, Name: "work"}.explain(tt.err)
		wantCode(t, err, tt.code)
		if e := api.AsError(err); e.Message != want || e.Hint != tt.hint {
			t.Errorf("%v is explained as %q, hint %q", tt.err, e.Message, e.Hint)
		}
	}
	if known := noKey("a", "b", ""); (request{}).explain(known) != known {
		t.Error("an error that is explained already is changed")
	}
}

func TestKeychainChildHasNoKeyInItsEnvironment(t *testing.T) {
	k, _ := newKeychain(t, "environment", time.Minute, time.Hour)
	t.Setenv("TCRED_TEST_OTHER", "kept")
	for _, s := range credential.Spellings() {
		for _, name := range append([]string{s.ID, s.Key}, s.Tokens...) {
			t.Setenv(name, canary)
		}
	}
	got, err := k.Get(t.Context(), "work")
	if err != nil {
		t.Fatal(err)
	}
	if got.ID != "kept" || got.Secret != "0" {
		t.Errorf("%s variables with a key, another one is %q", got.Secret.Reveal(), got.ID)
	}
}

func TestChildEndsWhenItsParentIsGone(t *testing.T) {
	t.Setenv("DBUS_SESSION_BUS_ADDRESS", deafBus(t)) // so that the keychain hangs, where there is a bus
	in, parent := io.Pipe()
	status := make(chan int)
	go func() { status <- ChildMain(nil, in, io.Discard) }()
	if _, err := io.WriteString(parent, `{"op":"get","name":"work"}`+"\n"); err != nil {
		t.Fatal(err)
	}
	parent.Close()
	<-status // without this promise the test hangs
}

func TestChildRefusesWhatIsNoRequest(t *testing.T) {
	for _, line := range []string{"", "{", "{}x\n", strings.Repeat("x", maxFile+1)} {
		var out bytes.Buffer
		if status := ChildMain(nil, strings.NewReader(line), &out); status != say.ExitUsage || out.Len() != 0 {
			t.Errorf("%.20q: status %d, %q", line, status, out.String())
		}
	}
	if status := ChildMain([]string{"x"}, strings.NewReader(""), io.Discard); status != say.ExitUsage {
		t.Errorf("status %d", status)
	}
	for _, r := range []request{{Op: "format"}, {Op: opGet, Name: "../x"}, {Op: opPut}} {
		if a := r.serve(func() {}); a.Problem == nil {
			t.Errorf("%+v was served", r)
		}
	}
}
