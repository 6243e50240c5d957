package ttytest

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// Open makes a pseudo-terminal: the end a person sits at, and the one a command runs on. Both are closed when the test
// ends. Where there are no pseudo-terminals it skips the test.
func Open(t *testing.T) (person, terminal *os.File) {
	t.Helper()
	person, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Skipf("no pseudo-terminals here: %v", err)
	}
	t.Cleanup(func() { person.Close() })
	if err := unix.IoctlSetPointerInt(int(person.Fd()), unix.TIOCSPTLCK, 0); err != nil {
		t.Fatal(err)
	}
	n, err := unix.IoctlGetInt(int(person.Fd()), unix.TIOCGPTN)
	if err != nil {
		t.Fatal(err)
	}
	terminal, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", n), os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { terminal.Close() })
	return person, terminal
}

// Settings is how the terminal behaves at the moment.
func Settings(t *testing.T, terminal *os.File) unix.Termios {
	t.Helper()
	settings, err := unix.IoctlGetTermios(int(terminal.Fd()), unix.TCGETS)
	if err != nil {
		t.Fatal(err)
	}
	return *settings
}

// MakeRaw puts the terminal into the state that a program which crashed may leave it in: it knows no lines, no signals,
// and no Enter. It returns the new settings.
func MakeRaw(t *testing.T, terminal *os.File) unix.Termios {
	t.Helper()
	raw := Settings(t, terminal)
	raw.Lflag &^= unix.ICANON | unix.ISIG
	raw.Iflag &^= unix.ICRNL
	if err := unix.IoctlSetTermios(int(terminal.Fd()), unix.TCSETS, &raw); err != nil {
		t.Fatal(err)
	}
	return raw
}

// Echoes reports whether the terminal shows what is typed.
func Echoes(t *testing.T, terminal *os.File) bool {
	t.Helper()
	return Settings(t, terminal).Lflag&unix.ECHO != 0
}

// ReadUntil reads what the person sees, up to and with text.
func ReadUntil(t *testing.T, person *os.File, text string) string {
	t.Helper()
	var seen strings.Builder
	for buf := make([]byte, 1); !strings.HasSuffix(seen.String(), text); {
		if _, err := person.Read(buf); err != nil {
			t.Fatalf("after %q: %v", seen.String(), err)
		}
		seen.Write(buf)
	}
	return seen.String()
}

// AwaitHidden reads up to a prompt, and waits until the terminal shows nothing more: the prompt may come first.
func AwaitHidden(t *testing.T, person, terminal *os.File, prompt string) {
	t.Helper()
	ReadUntil(t, person, prompt)
	for Echoes(t, terminal) {
		time.Sleep(time.Millisecond)
	}
}
