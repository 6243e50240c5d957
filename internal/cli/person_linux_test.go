package cli

import (
	"fmt"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tcred/tcred/emulator"
	"github.com/tcred/tcred/internal/tty/ttytest"
)

// A person who mended what was refused, and tries again, is asked anew; a tool hears what is remembered for 10 s.
func TestAPersonAtATerminalIsAskedAnew(t *testing.T) {
	_, terminal := ttytest.Open(t)
	account := emulator.NewAccount(false)
	sts := emulator.New(emulator.Options{Accounts: []emulator.Account{account}})
	server := httptest.NewServer(sts)
	t.Cleanup(server.Close)
	cmd, home := alone(t)
	config := fmt.Sprintf("endpoint = %q\n[keystore]\nbackend = \"dir\"\ndir = %q\n", server.URL, home+"/keys")
	key := account.SecretID + "\n" + account.SecretKey.Reveal() + "\n"
	for _, err := range []error{
		os.MkdirAll(filepath.Join(home, ".config", "tcred"), 0o700), os.Mkdir(filepath.Join(home, "keys"), 0o700),
		os.WriteFile(filepath.Join(home, ".config", "tcred", "config.toml"), []byte(config), 0o600),
		os.WriteFile(filepath.Join(home, "keys", "tcred.key.default"), []byte(key), 0o600),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	run := func(person bool, args ...string) error {
		again := exec.CommandContext(t.Context(), cmd.Path, args...)
		again.Env = cmd.Env
		if person {
			again.Stdin, again.Stderr = terminal, terminal
		}
		return again.Run()
	}
	t.Cleanup(func() {
		stop := exec.Command(cmd.Path, "daemon", "stop")
		stop.Env = cmd.Env
		stop.Run() // t.Context has ended
	})
	for _, args := range [][]string{{"get"}, {"exec", "--", "true"}, {"whoami"}} {
		sts.Fail(emulator.Fault{Action: emulator.GetFederationToken, Code: "UnauthorizedOperation"})
		if run(false, args...) == nil {
			t.Fatalf("%v: not refused", args)
		}
		sts.Heal()
		if run(false, args...) == nil {
			t.Errorf("%v: a tool is asked anew", args)
		}
		if err := run(true, args...); err != nil {
			t.Errorf("%s: a person is not asked anew: %v", strings.Join(args, " "), err)
		}
		if err := run(false, "clear"); err != nil {
			t.Fatal(err)
		}
	}
}
