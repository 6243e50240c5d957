package keystore

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"strings"
	"testing"
	"time"

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
	_, err := k.Get(t.Context(), "work")
	wantCode(t, err, api.KeystoreFailed)
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
