package cli

import (
	"bufio"
	"fmt"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/tcred/tcred/emulator"
	"github.com/tcred/tcred/internal/tty/ttytest"
)

// desk is a person's world: a key "work", a profile "upload", an STS, and a daemon that ends with the test if it runs.
type desk struct {
	sts       *emulator.Emulator
	bin, home string
	env       []string
}

func newDesk(t *testing.T) *desk {
	t.Helper()
	cmd, home := alone(t)
	account := emulator.NewAccount(false)
	d := &desk{
		sts: emulator.New(emulator.Options{Accounts: []emulator.Account{account}}), bin: filepath.Dir(cmd.Path), home: home, env: cmd.Env,
	}
	server := httptest.NewServer(d.sts)
	t.Cleanup(server.Close)
	for file, text := range map[string]string{
		".config/tcred/config.toml": fmt.Sprintf("endpoint = %q\n[keystore]\nbackend = 'dir'\ndir = '%s/keys'\n"+
			"[profiles.upload]\nkey = 'work'\npolicy = 'full'\n", server.URL, home),
		"keys/tcred.key.work": account.SecretID + "\n" + account.SecretKey.Reveal() + "\n",
	} {
		path := filepath.Join(home, file)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	t.Cleanup(func() { endDaemon(t, d.bin, filepath.Join(home, "tcred", "tcred.sock")) })
	return d
}

// command is a command line of tcred or tcred-helper there, without a terminal.
func (d *desk) command(t *testing.T, words ...string) *exec.Cmd {
	cmd := exec.CommandContext(t.Context(), filepath.Join(d.bin, words[0]), words[1:]...)
	cmd.Env, cmd.Dir = append(d.env, "PATH="+d.bin+":"+os.Getenv("PATH"), "SHELL=/bin/sh"), d.home
	return cmd
}

// at is command with a person at its terminal, who sees all it says. It is killed if it takes too long.
func (d *desk) at(t *testing.T, words ...string) (cmd *exec.Cmd, person *os.File) {
	t.Helper()
	person, terminal := ttytest.Open(t)
	cmd = d.command(t, words...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = terminal, terminal, terminal
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	watchdog := time.AfterFunc(30*time.Second, func() { cmd.Process.Kill(); person.Close() })
	t.Cleanup(func() { watchdog.Stop() })
	return cmd, person
}

func TestExecTellsAPersonInWhichProfileTheyAre(t *testing.T) {
	d := newDesk(t)
	cmd, person := d.at(t, "tcred", "exec")
	seen := ttytest.ReadUntil(t, person, "; exit ends it")
	if !regexp.MustCompile(`^tcred: profile "work" until \d\d:\d\d:\d\d \(1h5\dm left\); exit ends it$`).MatchString(seen) {
		t.Errorf("in a shell: %q", seen)
	}
	person.WriteString("exec tcred exec upload\n")
	seen = ttytest.ReadUntil(t, person, "; exit ends it")
	if !strings.Contains(seen, `tcred: profile "upload" until `) || !strings.HasSuffix(seen, `, in place of profile "work"; exit ends it`) {
		t.Errorf("in a shell within: %q", seen)
	}
	person.WriteString("exit 7\n")
	if cmd.Wait(); cmd.ProcessState.ExitCode() != 7 {
		t.Errorf("the shell ended with %v", cmd.ProcessState)
	}

	cmd, person = d.at(t, "tcred", "exec", "--", "tcred", "exec", "upload", "--", "echo", "the end")
	seen = ttytest.ReadUntil(t, person, "the end\r\n")
	if !regexp.MustCompile(`^tcred: profile "upload" until [^,]+, in place of profile "work"\r\nthe end\r\n$`).MatchString(seen) {
		t.Errorf("of a command within: %q", seen)
	}
	cmd.Wait() // it ended

	piped := d.command(t, "tcred", "exec", "--", "tcred", "exec", "upload", "--", "true")
	if said, err := piped.CombinedOutput(); err != nil || len(said) > 0 {
		t.Errorf("without a terminal: %q, %v", said, err)
	}
}

// Each is told after a second what it waits for, and ends with 130 at ^C. No command is run that came too late.
func TestAPersonWhoWaitsIsToldForWhatAndCanInterrupt(t *testing.T) {
	for line, what := range map[string]string{
		"tcred exec -- touch ran": "the daemon", "tcred exec --no-daemon -- touch ran": "the keystore and STS",
		"tcred whoami": "the daemon", "tcred whoami --key work": "the daemon", "tcred-helper upload": "the daemon",
	} {
		t.Run(line, func(t *testing.T) {
			t.Parallel()
			d := newDesk(t)
			d.sts.Fail(emulator.Fault{Delay: 2 * time.Second})
			cmd, person := d.at(t, strings.Fields(line)...)
			ttytest.ReadUntil(t, person, "tcred: waiting for "+what+"\r\n")
			cmd.Process.Signal(os.Interrupt)
			if strings.HasPrefix(line, "tcred-helper") {
				cmd.Wait()
				if state, _ := cmd.ProcessState.Sys().(syscall.WaitStatus); state.Signal() != syscall.SIGINT {
					t.Errorf("it ended with %v", cmd.ProcessState) // a shell says 130 of that
				}
				return
			}
			if seen := ttytest.ReadUntil(t, person, "\r\n"); seen != "tcred: error: interrupted\r\n" {
				t.Errorf("it says %q", seen)
			}
			if cmd.Wait(); cmd.ProcessState.ExitCode() != 130 {
				t.Errorf("it ended with %v", cmd.ProcessState)
			}
			if _, err := os.Stat(filepath.Join(d.home, "ran")); err == nil {
				t.Error("the command was run")
			}
		})
	}
}

// What is not shown on a terminal has no use for the line.
func TestAToolIsNotToldThatItWaits(t *testing.T) {
	d := newDesk(t)
	d.sts.Fail(emulator.Fault{Delay: 1500 * time.Millisecond, Times: 2})
	for _, name := range []string{"tcred-helper", "tcred"} {
		cmd := d.command(t, name)
		if name == "tcred" {
			cmd.Args = append(cmd.Args, "refresh", "upload")
		}
		if said, err := cmd.CombinedOutput(); err != nil || strings.Contains(string(said), "waiting") {
			t.Errorf("%s: %q, %v", name, said, err)
		}
	}
}

func TestStatusCanBeWatchedUntilItIsInterrupted(t *testing.T) {
	d := newDesk(t)
	cmd := d.command(t, "tcred", "status", "--watch")
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	stderr := new(strings.Builder)
	cmd.Stderr = stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	if text, err := d.command(t, "tcred", "get").CombinedOutput(); err != nil { // it goes on where none runs yet
		t.Fatalf("%v: %s", err, text)
	}
	for lines, seen := bufio.NewScanner(out), 0; seen < 2 && lines.Scan(); {
		if strings.HasPrefix(lines.Text(), "work ") {
			seen++
		}
	}
	cmd.Process.Signal(os.Interrupt)
	cmd.Wait() // the status says it
	if cmd.ProcessState.ExitCode() != 130 || strings.Contains(stderr.String(), "interrupted") {
		t.Errorf("%v, it said %q", cmd.ProcessState, stderr)
	}
}
