package cli

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/tcred/tcred/internal/testworld"
	"github.com/tcred/tcred/internal/tty/ttytest"
	"github.com/tcred/tcred/keystore"
)

func TestASecretIsNotShownWhileTypedAndAnInterruptGivesTheTerminalBack(t *testing.T) {
	t.Run("a usual terminal", func(t *testing.T) {
		person, terminal := ttytest.Open(t)
		askAndInterrupt(t, person, terminal, ttytest.Settings(t, terminal))
	})
	t.Run("one that was left raw", func(t *testing.T) {
		person, terminal := ttytest.Open(t)
		askAndInterrupt(t, person, terminal, ttytest.MakeRaw(t, terminal))
	})
}

func askAndInterrupt(t *testing.T, person, terminal *os.File, before unix.Termios) {
	cmd := addAt(t, terminal)
	watchdog := time.AfterFunc(30*time.Second, func() { cmd.Process.Kill(); person.Close() })
	defer watchdog.Stop()

	ttytest.AwaitHidden(t, person, terminal, "passphrase of the file keystore (hidden): ")
	person.WriteString("pass\r") // what Enter sends
	ttytest.ReadUntil(t, person, "\n")
	if ttytest.Echoes(t, terminal) {
		t.Error("what is pasted while the passphrase is tried would be seen")
	}
	ttytest.AwaitHidden(t, person, terminal, "SecretId (hidden): ")
	person.WriteString("canary\x1a\x1c-typed\x03") // ^Z and ^\ stop nothing: who would give the terminal back?
	seen := ttytest.ReadUntil(t, person, "nothing was stored")
	if strings.Contains(seen, "canary") || !strings.Contains(seen, "tcred: error: interrupted") {
		t.Errorf("the person sees %q", seen)
	}
	if err := cmd.Wait(); cmd.ProcessState.ExitCode() != 130 {
		t.Errorf("interrupted: %v", err)
	}
	if after := ttytest.Settings(t, terminal); after != before {
		t.Errorf("the terminal was %+v and is %+v", before, after)
	}
}

// addAt starts tcred add at a terminal, with a file keystore that the passphrase "pass" opens, slowly.
func addAt(t *testing.T, terminal *os.File) *exec.Cmd {
	t.Helper()
	bin := testworld.Binaries(t)
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
	return cmd
}
