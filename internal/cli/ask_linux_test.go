package cli

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/tcred/tcred/internal/testworld"
	"github.com/tcred/tcred/keystore"
)

// openTerminal makes a pseudo-terminal: the end a person sits at, and the one a command runs on.
func openTerminal(t *testing.T) (person, command *os.File) {
	t.Helper()
	person, err := os.OpenFile("/dev/ptmx", os.O_RDWR, 0)
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
	command, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", n), os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { command.Close() })
	return person, command
}

func echoes(t *testing.T, terminal *os.File) bool {
	t.Helper()
	settings, err := unix.IoctlGetTermios(int(terminal.Fd()), unix.TCGETS)
	if err != nil {
		t.Fatal(err)
	}
	return settings.Lflag&unix.ECHO != 0
}

// readUntil reads what the person sees, up to and with text.
func readUntil(t *testing.T, person *os.File, text string) string {
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

func TestASecretIsNotShownWhileTypedAndAnInterruptGivesTheTerminalBack(t *testing.T) {
	t.Run("a usual terminal", func(t *testing.T) { askAndInterrupt(t, false) })
	t.Run("one that was left raw", func(t *testing.T) { askAndInterrupt(t, true) })
}

func askAndInterrupt(t *testing.T, raw bool) {
	bin := testworld.Binaries(t)
	person, terminal := openTerminal(t)
	before, err := unix.IoctlGetTermios(int(terminal.Fd()), unix.TCGETS)
	if err != nil {
		t.Fatal(err)
	}
	if raw {
		before.Lflag &^= unix.ICANON | unix.ISIG
		before.Iflag &^= unix.ICRNL
		if err := unix.IoctlSetTermios(int(terminal.Fd()), unix.TCSETS, before); err != nil {
			t.Fatal(err)
		}
	}
	home := t.TempDir()
	if err := keystore.CreateFile(filepath.Join(home, ".local", "share", "tcred", "keys"), "pass", 14); err != nil {
		t.Fatal(err)
	}
	config := filepath.Join(home, "config.toml")
	if err := os.WriteFile(config, []byte("keystore.backend = \"file\"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), filepath.Join(bin, "tcred"), "add", "--no-verify")
	cmd.Env = []string{"HOME=" + home, "TCRED_CONFIG=" + config, "XDG_RUNTIME_DIR=" + home}
	cmd.Stdin, cmd.Stdout, cmd.Stderr = terminal, terminal, terminal
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	watchdog := time.AfterFunc(30*time.Second, func() { cmd.Process.Kill(); person.Close() })
	defer watchdog.Stop()

	// The prompt stands there a moment before the terminal is quiet.
	quiet := func(prompt string) {
		readUntil(t, person, prompt)
		for echoes(t, terminal) {
			time.Sleep(time.Millisecond)
		}
	}
	quiet("passphrase of the file keystore (hidden): ")
	person.WriteString("pass\r") // what Enter sends
	readUntil(t, person, "\n")
	if echoes(t, terminal) {
		t.Error("what is pasted while the passphrase is tried would be seen")
	}
	quiet("SecretId (hidden): ")
	person.WriteString("canary\x1a\x1c-typed\x03") // ^Z and ^\ stop nothing: who would give the terminal back?
	if seen := readUntil(t, person, "nothing was stored"); strings.Contains(seen, "canary") || !strings.Contains(seen, "tcred: error: interrupted") {
		t.Errorf("the person sees %q", seen)
	}
	if err := cmd.Wait(); cmd.ProcessState.ExitCode() != 1 {
		t.Errorf("interrupted: %v", err)
	}
	if after, err := unix.IoctlGetTermios(int(terminal.Fd()), unix.TCGETS); err != nil || *after != *before {
		t.Errorf("the terminal was %+v and is %+v", before, after)
	}
}
