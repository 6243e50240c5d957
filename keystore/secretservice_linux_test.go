package keystore

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	keyring "github.com/zalando/go-keyring"

	"github.com/tcred/tcred/api"
	"github.com/tcred/tcred/internal/say"
)

// newRealKeychain is the store as the daemon has it; a person is there if interactive.
func newRealKeychain(t *testing.T, interactive bool) (Store, *[]string) {
	t.Helper()
	t.Setenv("TCRED_TEST_CHILD", "")
	t.Setenv("GORACE", "atexit_sleep_ms=0") // else each child of a race-detecting test lingers for a second
	said := new([]string)
	s, err := Open(Options{Backend: "keychain", Interactive: interactive,
		Notify: func(line string) { *said = append(*said, line) }})
	if err != nil {
		t.Fatal(err)
	}
	return s, said
}

func TestKeychainWithoutABusIsAbsent(t *testing.T) {
	s, _ := newRealKeychain(t, false)
	addresses := []string{"unix:path=/nonexistent/bus", "nonsense"}
	if _, err := os.Stat(fmt.Sprintf("/run/user/%d", os.Getuid())); err != nil {
		addresses = append(addresses, "") // else the bus of this user is found there
	}
	for _, address := range addresses {
		t.Setenv("DBUS_SESSION_BUS_ADDRESS", address)
		_, err := s.Get(t.Context(), "work")
		wantCode(t, err, api.KeystoreAbsent)
		if e := api.AsError(err); !strings.Contains(e.Message, "no D-Bus session bus") ||
			!strings.Contains(e.Message, `so key "work" cannot be read`) ||
			!strings.Contains(e.Hint, "tcred init --keystore file") {
			t.Error(say.Text(e))
		}
		wantCode(t, s.Probe(t.Context()), api.KeystoreAbsent)
	}
}

func TestRealKeychainKeepsKeys(t *testing.T) {
	newKeyring(t)
	s, said := newRealKeychain(t, false)
	keepsKeys(t, s)
	if len(*said) != 0 {
		t.Errorf("said %q", *said)
	}
	long := Key{strings.Repeat("i", maxPart), testKey.Secret}
	if err := s.Put(t.Context(), "long", long); err != nil {
		t.Fatal(err)
	}
	if got, err := s.Get(t.Context(), "long"); err != nil || got != long {
		t.Errorf("%v, %v", got, err)
	}
	// The next tcred looks for it by these names.
	if text, err := keyring.Get("tcred", "long"); err != nil || text != long.ID+"\n"+long.Secret.Reveal() {
		t.Errorf("the keychain's item has %d bytes, %v", len(text), err)
	}
}

func TestRealKeychainThatIsLockedSaysSoUntilUnlocked(t *testing.T) {
	bus := newKeyring(t)
	s, _ := newRealKeychain(t, false)
	mustPut(t, s, "work")
	must(t, bus.Lock())
	start := time.Now()
	_, err := s.Get(t.Context(), "work")
	within(t, start)
	wantCode(t, err, api.KeystoreLocked)
	want := "tcred: error: the keychain is locked, so key \"work\" cannot be read\n" +
		"tcred: hint: tcred unlock; no screen here? tcred init --keystore file\n"
	if got := say.Text(api.AsError(err)); got != want {
		t.Errorf("got\n%swant\n%s", got, want)
	}
	wantCode(t, s.Put(t.Context(), "work", testKey), api.KeystoreLocked)
	wantCode(t, s.Delete(t.Context(), "work"), api.KeystoreLocked)
	wantCode(t, s.Probe(t.Context()), api.KeystoreLocked)
	wantCode(t, s.Unlock(t.Context(), ""), api.KeystoreLocked)
	must(t, bus.Unlock())
	if got, err := s.Get(t.Context(), "work"); err != nil || got != testKey {
		t.Errorf("cured, but %v, %v", got, err)
	}
}

func TestRealKeychainPromptsAPersonOnly(t *testing.T) {
	bus := newKeyring(t)
	daemon, _ := newRealKeychain(t, false)
	person, said := newRealKeychain(t, true)
	mustPut(t, person, "work")
	must(t, bus.Lock())
	_, err := daemon.Get(t.Context(), "work")
	wantCode(t, err, api.KeystoreLocked)
	wantCode(t, person.Probe(t.Context()), api.KeystoreLocked)
	if n := bus.Person.Windows(); n != 0 || len(*said) != 0 {
		t.Errorf("%d windows, said %q", n, *said)
	}
	_, err = person.Get(patience(t), "work")
	wantCode(t, err, api.KeystoreLocked)
	if n := bus.Person.Windows(); n != 1 || len(*said) != 1 || !strings.Contains(err.Error(), "dismissed") {
		t.Errorf("%d windows, said %q, %v", n, *said, err)
	}
}

func TestRealKeychainIsUnlockedByAPersonWhoAnswersItsWindow(t *testing.T) {
	bus := newKeyring(t)
	person, said := newRealKeychain(t, true)
	mustPut(t, person, "work")
	must(t, bus.Lock())
	bus.Person.Types.Store(true)
	must(t, person.Unlock(patience(t), ""))
	if n := bus.Person.Windows(); n != 1 || len(*said) != 1 {
		t.Errorf("%d windows, said %q", n, *said)
	}
	daemon, _ := newRealKeychain(t, false)
	if got, err := daemon.Get(t.Context(), "work"); err != nil || got != testKey {
		t.Errorf("unlocked, but %v, %v", got, err)
	}
}

func TestRealFreshKeychainHoldsNothingAndNeedsAPersonToBegin(t *testing.T) {
	bus := newSession(t)
	must(t, bus.OfferKeyring()) // started by the bus when first asked for
	daemon, _ := newRealKeychain(t, false)
	_, err := daemon.Get(t.Context(), "work")
	wantCode(t, err, api.NoKey)
	wantCode(t, daemon.Delete(t.Context(), "work"), api.NoKey)
	wantCode(t, daemon.Put(t.Context(), "work", testKey), api.KeystoreLocked)
	wantCode(t, daemon.Probe(t.Context()), api.KeystoreLocked)
	if n := bus.Person.Windows(); n != 0 {
		t.Errorf("%d windows", n)
	}
	person, said := newRealKeychain(t, true)
	err = person.Unlock(patience(t), "")
	wantCode(t, err, api.KeystoreLocked)
	if n := bus.Person.Windows(); n != 1 || len(*said) != 1 || !strings.Contains(err.Error(), "dismissed") {
		t.Errorf("%d windows, said %q, %v", n, *said, err)
	}
}

func TestRealKeychainWithoutAProviderIsAbsentUntilOneComes(t *testing.T) {
	bus := newSession(t)
	s, _ := newRealKeychain(t, false)
	start := time.Now()
	_, err := s.Get(t.Context(), "work")
	wantCode(t, err, api.KeystoreAbsent)
	if !strings.Contains(err.Error(), "no program offers one") {
		t.Error(err)
	}
	within(t, start)
	must(t, bus.StartKeyring())
	mustPut(t, s, "work")
}

func TestRealKeychainOnABusThatNeverAnswersTimesOutAndHeals(t *testing.T) {
	bus := newKeyring(t)
	s, _ := newRealKeychain(t, false)
	mustPut(t, s, "work")
	must(t, bus.DeafenBus())
	start := time.Now()
	_, err := s.Get(t.Context(), "work")
	wantCode(t, err, api.KeystoreTimeout)
	within(t, start)
	must(t, bus.StartBus())
	must(t, bus.StartKeyring())
	if got, err := s.Get(t.Context(), "work"); err != nil || got != testKey {
		t.Errorf("healed, but %v, %v", got, err)
	}
}

func TestRealKeychainWhoseBusDiesAndComesBack(t *testing.T) {
	bus := newKeyring(t)
	s, _ := newRealKeychain(t, false)
	mustPut(t, s, "work")
	bus.StopBus()
	_, err := s.Get(t.Context(), "work")
	wantCode(t, err, api.KeystoreAbsent)
	must(t, bus.StartBus())
	must(t, bus.StartKeyring())
	if got, err := s.Get(t.Context(), "work"); err != nil || got != testKey {
		t.Errorf("came back, but %v, %v", got, err)
	}
}

// patience bounds a call that waits for the prompter: two minutes are too long for a test that fails.
func patience(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	t.Cleanup(cancel)
	return ctx
}

// within is the promise for every way a keychain fails without a person: 6 s.
func within(t *testing.T, start time.Time) {
	t.Helper()
	if took := time.Since(start); took > 6*time.Second {
		t.Errorf("took %v", took)
	}
}

func TestRealSecretsAreInNoArgumentOrEnvironment(t *testing.T) {
	newKeyring(t)
	s, _ := newRealKeychain(t, false)
	leaked := leak(t)
	if where := watchProcesses(canary, leaked); where == "" {
		t.Fatal("a leak made for this test is not seen")
	}
	<-leaked
	found := make(chan string, 1)
	stop := make(chan struct{})
	go func() { found <- watchProcesses(canary, stop) }()
	for range 5 {
		mustPut(t, s, "work")
		if _, err := s.Get(t.Context(), "work"); err != nil {
			t.Fatal(err)
		}
	}
	close(stop)
	if where := <-found; where != "" {
		t.Errorf("the secret is in %s", where)
	}
}

// leak runs a process with the canary in its environment, for a second.
func leak(t *testing.T) <-chan struct{} {
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	child := exec.CommandContext(ctx, os.Args[0], ChildCommand)
	child.Env = []string{"TCRED_TEST_CHILD=hang", "LEAK=" + canary}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	stop := make(chan struct{})
	go func() {
		defer cancel()
		defer close(stop)
		child.Wait()
	}()
	return stop
}

// watchProcesses looks into every process until stop, and returns the first file that shows text.
func watchProcesses(text string, stop <-chan struct{}) string {
	for {
		select {
		case <-stop:
			return ""
		default:
		}
		for _, pattern := range []string{"/proc/[0-9]*/cmdline", "/proc/[0-9]*/environ"} {
			files, _ := filepath.Glob(pattern)
			for _, f := range files {
				if data, _ := os.ReadFile(f); strings.Contains(string(data), text) {
					return f
				}
			}
		}
	}
}
