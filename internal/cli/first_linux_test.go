package cli

import (
	"errors"
	"fmt"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/tcred/tcred/credential"
	"github.com/tcred/tcred/emulator"
	"github.com/tcred/tcred/internal/tty/ttytest"
)

// seat is a person at a terminal in an account of their own, on a machine without a desktop.
type seat struct {
	*testing.T
	person, terminal *os.File
	bin, home        string
	shown            chan string    // what the person sees
	typed            map[string]int // how often each question was answered
}

func newSeat(t *testing.T) *seat {
	cmd, home := alone(t)
	s := &seat{T: t, bin: filepath.Dir(cmd.Path), home: home, shown: make(chan string), typed: make(map[string]int)}
	s.person, s.terminal = ttytest.Open(t)
	go func() {
		for buf := make([]byte, 256); ; {
			n, err := s.person.Read(buf)
			if err != nil {
				return
			}
			select {
			case s.shown <- string(buf[:n]):
			case <-t.Context().Done():
				return
			}
		}
	}()
	t.Cleanup(func() { s.command("daemon", "stop").Run() })
	return s
}

func (s *seat) command(args ...string) *exec.Cmd {
	cmd := exec.CommandContext(s.Context(), filepath.Join(s.bin, "tcred"), args...)
	cmd.Env = []string{
		"PATH=" + s.bin + ":" + os.Getenv("PATH"), "HOME=" + s.home, "XDG_RUNTIME_DIR=" + s.home,
		"DBUS_SESSION_BUS_ADDRESS=unix:path=" + filepath.Join(s.home, "no-bus"),
	}
	return cmd
}

// run runs a command at the terminal. Each time a question of answers comes, its answer is typed. What the person sees
// is returned.
func (s *seat) run(answers map[string]string, args ...string) string {
	s.Helper()
	cmd := s.command(args...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = s.terminal, s.terminal, s.terminal
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	if err := cmd.Start(); err != nil {
		s.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	seen, done := s.converse(answers, ended)
	if done != nil {
		s.Fatalf("tcred %s: %v\n%s", strings.Join(args, " "), done, seen)
	}
	return seen
}

// converse answers questions until the command has ended, and what it wrote is read.
func (s *seat) converse(answers map[string]string, ended <-chan error) (seen string, status error) {
	var all, line string
	over := time.After(60 * time.Second)
	for {
		select {
		case text := <-s.shown:
			all, line = all+text, line+text
			if ended == nil {
				over = time.After(200 * time.Millisecond)
			}
		case status = <-ended: // what it wrote is in the terminal by now
			ended, over = nil, time.After(200*time.Millisecond)
			continue
		case <-over:
			if ended != nil {
				return all, errors.New("it waits for something")
			}
			return all, status
		}
		for question, answer := range answers {
			if strings.HasSuffix(line, question) {
				line = ""
				s.typed[question]++
				s.person.WriteString(answer + "\r")
			}
		}
	}
}

const (
	askNew, askAgain = "a passphrase for the file keystore (hidden): ", "the same once more (hidden): "
	askOpen, askID   = "passphrase of the file keystore (hidden): ", "SecretId (hidden): "
	askFile          = "keep keys in files under a passphrase instead? [y/N] "
)

func TestOnAMachineWithoutADesktopThreeCommandsAndOnePassphraseTypedTwiceDo(t *testing.T) {
	s := newSeat(t)
	account := emulator.NewAccount(false)
	server := httptest.NewServer(emulator.New(emulator.Options{Accounts: []emulator.Account{account}}))
	defer server.Close()
	answers := map[string]string{
		askFile: "y", askNew: "correct horse", askAgain: "correct horse", askOpen: "correct horse",
		askID: account.SecretID + " " + account.SecretKey.Reveal(),
	}
	s.run(answers, "init")
	config := filepath.Join(s.home, ".config", "tcred", "config.toml")
	text, err := os.ReadFile(config)
	if err == nil { // it would ask Tencent Cloud
		err = os.WriteFile(config, fmt.Appendf(nil, "endpoint = %q\n%s", server.URL, text), 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	seen := s.run(answers, "add")
	if !strings.Contains(seen, "SecretId "+credential.Mask(account.SecretID)+"\r\n") ||
		strings.Contains(seen, account.SecretKey.Reveal()) || strings.Contains(seen, account.SecretID) {
		t.Errorf("add shows %q", seen)
	}
	if seen := s.run(answers, "exec", "--", "env"); !strings.Contains(seen, "TENCENTCLOUD_TOKEN=") {
		t.Errorf("exec shows %q", seen)
	}
	if passphrases := s.typed[askNew] + s.typed[askAgain] + s.typed[askOpen]; passphrases != 2 || s.typed[askFile] != 1 || s.typed[askID] != 1 {
		t.Errorf("typed were %v", s.typed)
	}
}

func TestADaemonThatEndedCostsOnePassphraseMore(t *testing.T) {
	s := newSeat(t)
	answers := map[string]string{askFile: "y", askNew: "correct horse", askAgain: "correct horse", askOpen: "correct horse", askID: "AKIDa b"}
	s.run(answers, "init")
	s.run(nil, "daemon", "stop")
	s.run(answers, "add", "--no-verify")
	s.run(answers, "add", "more", "--no-verify") // by the daemon, which add started
	if s.typed[askOpen] != 1 || s.typed[askNew] != 1 {
		t.Errorf("typed were %v", s.typed)
	}
}

// Whatever moment a kill hits: what config.toml says opens the keystore.
func TestAKilledChangeOfThePassphraseLeavesAKeystoreThatOpens(t *testing.T) {
	s := newFileStore(t)
	add := s.add(t, 1)
	if n := finish([]*addProcess{add}); n != 1 {
		t.Fatalf("no key: %s", &add.said)
	}
	killed, changed := 0, 0
	for i := range 40 {
		cmd := exec.CommandContext(t.Context(), s.bin, "passphrase", "--passphrase-file", filepath.Join(s.home, fmt.Sprintf("p%d", i)))
		cmd.Env = []string{"HOME=" + s.home, "XDG_RUNTIME_DIR=" + s.home}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		kill := time.AfterFunc(time.Duration(i)*time.Millisecond, func() { cmd.Process.Kill() })
		if cmd.Wait() == nil {
			changed++
		} else {
			killed++
		}
		kill.Stop()
		check := exec.CommandContext(t.Context(), s.bin, "add", "k", "--no-verify", "--secret-id", "x", "--secret-key-stdin")
		check.Env, check.Stdin = cmd.Env, strings.NewReader("y")
		out, _ := check.CombinedOutput() // it finds the key that is there, if it can read it
		if !strings.Contains(string(out), `there is a key "k" already`) {
			t.Fatalf("killed after %d ms: %s", i, out)
		}
	}
	if killed == 0 || changed == 0 {
		t.Errorf("%d were killed, %d went to their end", killed, changed)
	}
}
