package tty

import (
	"context"
	"errors"
	"os"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/tcred/tcred/api"
	"github.com/tcred/tcred/internal/tty/ttytest"
)

// open is a terminal whose questions the person sees.
func open(t *testing.T) (person, end *os.File, terminal Terminal) {
	t.Helper()
	person, end = ttytest.Open(t)
	return person, end, Terminal{In: end, Out: end}
}

func TestOnlyAYesIsAYes(t *testing.T) {
	for typed, want := range map[string]bool{
		"y\n": true, "yes\n": true, " YES \n": true, "\x1b[200~y\x1b[201~\n": true, "\n": false, "n\n": false, "yess\n": false, "\x04": false, // ^D
	} {
		person, _, terminal := open(t)
		person.WriteString(typed)
		if yes, err := terminal.Yes(t.Context(), "remove it?"); yes != want || err != nil {
			t.Errorf("%q: %v, %v", typed, yes, err)
		}
		ttytest.ReadUntil(t, person, "remove it? [y/N] ")
	}
}

func TestASecretIsHiddenAndTheTerminalIsAsBefore(t *testing.T) {
	person, end, terminal := open(t)
	before := ttytest.MakeRaw(t, end)
	done := make(chan string, 1)
	go func() {
		secret, err := terminal.Hidden(t.Context(), "SecretKey")
		if err != nil {
			t.Error(err)
		}
		done <- secret.Reveal()
	}()
	ttytest.AwaitHidden(t, person, end, "SecretKey (hidden): ")
	person.WriteString("canary\r") // what Enter sends
	if secret := <-done; secret != "canary" {
		t.Errorf("it was %q", secret)
	}
	if seen := ttytest.ReadUntil(t, person, "\n"); strings.Contains(seen, "canary") {
		t.Errorf("the person sees %q", seen)
	}
	if after := ttytest.Settings(t, end); after != before {
		t.Errorf("the terminal was %+v and is %+v", before, after)
	}
}

func TestAnInterruptGivesTheTerminalBack(t *testing.T) {
	person, end, terminal := open(t)
	before := ttytest.Settings(t, end)
	ctx, interrupt := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() {
		_, err := terminal.Hidden(ctx, "SecretKey")
		done <- err
	}()
	ttytest.AwaitHidden(t, person, end, "SecretKey (hidden): ")
	interrupt()
	if err := <-done; !errors.Is(err, context.Canceled) {
		t.Errorf("it ended with %v", err)
	}
	if after := ttytest.Settings(t, end); after != before {
		t.Errorf("the terminal was %+v and is %+v", before, after)
	}
}

func TestNothingIsShownBetweenTheQuestionsOfASequence(t *testing.T) {
	person, end, terminal := open(t)
	restore, err := terminal.Mute()
	if err != nil {
		t.Fatal(err)
	}
	for typed, answer := range map[string]string{"first": "first", "": "", "\x1b[200~pasted\x1b[201~": "pasted"} {
		person.WriteString(typed + "\n")
		if secret, err := terminal.Hidden(t.Context(), "SecretKey"); secret.Reveal() != answer || err != nil {
			t.Errorf("%q, %v", secret.Reveal(), err)
		}
		if ttytest.Echoes(t, end) {
			t.Errorf("after %q the terminal shows what is typed", answer)
		}
	}
	person.WriteString("\x04") // ^D
	if _, err := terminal.Hidden(t.Context(), "SecretKey"); api.CodeOf(err) != api.BadRequest {
		t.Errorf("no answer: %v", err)
	}
	restore()
	if !ttytest.Echoes(t, end) {
		t.Error("the terminal still shows nothing")
	}
}

func TestAMuteTerminalKnowsLinesAndInterruptsAndNoOtherSignal(t *testing.T) {
	_, end, terminal := open(t)
	ttytest.MakeRaw(t, end)
	restore, err := terminal.Mute()
	if err != nil {
		t.Fatal(err)
	}
	defer restore()
	settings := ttytest.Settings(t, end)
	if settings.Lflag&unix.ICANON == 0 || settings.Lflag&unix.ISIG == 0 {
		t.Error("the terminal is still raw")
	}
	for name, key := range map[string]byte{"^Z": '\x1a', "^\\": '\x1c'} {
		for _, c := range settings.Cc {
			if c == key {
				t.Errorf("%s is on", name)
			}
		}
	}
}
