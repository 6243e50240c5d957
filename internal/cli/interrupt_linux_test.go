package cli

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/tcred/tcred/internal/testworld"
	"github.com/tcred/tcred/keystore"
)

// alone is tcred in a world of its own, killed at the end of the test if it is still there.
func alone(t *testing.T, args ...string) (cmd *exec.Cmd, home string) {
	t.Helper()
	bin := testworld.Binaries(t)
	home = testworld.ShortDir(t)
	cmd = exec.CommandContext(t.Context(), filepath.Join(bin, "tcred"), args...)
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + home, "TMPDIR=" + home, "XDG_RUNTIME_DIR=" + home}
	return cmd, home
}

func TestADemoWhoseReaderEndsLeavesNothing(t *testing.T) {
	cmd, home := alone(t, "demo")
	story, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	if _, err := bufio.NewReaderSize(story, 16).ReadString('\n'); err != nil {
		t.Fatal(err)
	}
	story.Close()
	if cmd.Wait() == nil {
		t.Error("it did not fail")
	}
	if left, err := os.ReadDir(home); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

func TestASecondInterruptEndsACommandThatWaits(t *testing.T) {
	cmd, home := alone(t, "add", "--secret-id", "AKIDaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "--secret-key-stdin")
	passphrase, config := filepath.Join(home, "passphrase"), filepath.Join(home, ".config", "tcred", "config.toml")
	if err := errors.Join(
		keystore.CreateFile(filepath.Join(home, ".local", "share", "tcred", "keys"), "passphrase", 10),
		os.WriteFile(passphrase, []byte("passphrase"), 0o600),
		os.MkdirAll(filepath.Dir(config), 0o700),
		os.WriteFile(config, fmt.Appendf(nil, "[keystore]\nbackend = 'file'\npassphrase_file = '%s'\n", passphrase), 0o600),
	); err != nil {
		t.Fatal(err)
	}
	never, writer, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer writer.Close()
	defer never.Close()
	cmd.Stdin = never
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	time.Sleep(200 * time.Millisecond) // until it reads
	for range 100 {
		cmd.Process.Signal(os.Interrupt) // an error says that it has ended
		select {
		case <-ended:
			return
		case <-time.After(100 * time.Millisecond):
		}
	}
	t.Error("still there")
}

func TestADaemonWithoutAPlaceForItsLogServes(t *testing.T) {
	cmd, home := alone(t, "get", "nobody")
	state := filepath.Join(home, ".local", "state", "tcred")
	if err := os.MkdirAll(filepath.Join(state, "daemon.log"), 0o700); err != nil {
		t.Fatal(err)
	}
	out, _ := cmd.CombinedOutput()
	stop := exec.Command(cmd.Path, "daemon", "stop")
	stop.Env = cmd.Env
	if said, err := stop.CombinedOutput(); err != nil || string(said) != "tcred: the daemon stopped\n" {
		t.Errorf("get said %q, then stop %q, %v", out, said, err)
	}
}
