package cli

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tcred/tcred/internal/tty/ttytest"
)

// What tcred init made with it could not be opened by any later command.
func TestInitTakesNoPassphraseFileThatTheKeystoreWouldRefuse(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root can give a file away")
	}
	cmd, home := alone(t)
	path := filepath.Join(home, "passphrase")
	if err := os.WriteFile(path, []byte("passphrase"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Chown(path, 65534, 65534); err != nil {
		t.Fatal(err)
	}
	cmd.Args = append(cmd.Args, "init", "--keystore", "file", "--passphrase-file", path)
	out, err := cmd.CombinedOutput()
	if err == nil || !strings.Contains(string(out), path+" belongs to another user") || !strings.Contains(string(out), "hint: chown it to yourself") {
		t.Errorf("%v: %s", err, out)
	}
	if _, err := os.Stat(filepath.Join(home, ".local")); err == nil {
		t.Error("it made a keystore all the same")
	}
}

// While the new passphrase is in it, nobody else's debugger and no core dump may have it.
func TestInitHardensItselfBeforeItAsksForAPassphrase(t *testing.T) {
	cmd, _ := alone(t)
	cmd.Args = []string{"sh", "-c", `umask 022 && exec "$0" init --keystore file`, cmd.Path}
	cmd.Path = "/bin/sh"
	_, terminal := ttytest.Open(t) // nobody types at it
	cmd.Stdin = terminal
	asks, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer cmd.Wait()         // it is killed
	defer cmd.Process.Kill() // Wait says it
	if _, err := asks.Read(make([]byte, 1)); err != nil {
		t.Fatal(err)
	}
	isHardened(t, cmd.Process.Pid)
}
