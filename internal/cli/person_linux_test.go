package cli

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tcred/tcred/emulator"
	"github.com/tcred/tcred/internal/tty/ttytest"
)

// dirWorld is a home with a config and a key in a directory, in front of an STS.
type dirWorld struct {
	t       *testing.T
	cmd     *exec.Cmd // tcred there, never run
	sts     *emulator.Emulator
	account emulator.Account

	mu sync.Mutex
	at []time.Time // of the calls
}

func newDirWorld(t *testing.T) *dirWorld {
	t.Helper()
	w := &dirWorld{t: t, account: emulator.NewAccount(false)}
	w.sts = emulator.New(emulator.Options{Accounts: []emulator.Account{w.account}})
	server := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		w.mu.Lock()
		w.at = append(w.at, time.Now())
		w.mu.Unlock()
		w.sts.ServeHTTP(rw, r)
	}))
	t.Cleanup(server.Close)
	cmd, home := alone(t)
	w.cmd = cmd
	config := fmt.Sprintf("endpoint = %q\n[keystore]\nbackend = \"dir\"\ndir = %q\n", server.URL, home+"/keys")
	key := w.account.SecretID + "\n" + w.account.SecretKey.Reveal() + "\n"
	for _, err := range []error{
		os.MkdirAll(filepath.Join(home, ".config", "tcred"), 0o700), os.Mkdir(filepath.Join(home, "keys"), 0o700),
		os.MkdirAll(filepath.Join(home, ".local", "state", "tcred"), 0o700),
		os.WriteFile(filepath.Join(home, ".config", "tcred", "config.toml"), []byte(config), 0o600),
		os.WriteFile(filepath.Join(home, "keys", "tcred.key.default"), []byte(key), 0o600),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	t.Cleanup(func() {
		stop := exec.Command(cmd.Path, "daemon", "stop") // t.Context has ended
		stop.Env = cmd.Env
		if out, err := stop.CombinedOutput(); err != nil {
			t.Errorf("stop: %v\n%s", err, out)
		}
	})
	return w
}

// run runs tcred, for a person at that terminal or, where it is nil, for a tool.
func (w *dirWorld) run(terminal *os.File, args ...string) error {
	cmd := exec.CommandContext(w.t.Context(), w.cmd.Path, args...)
	cmd.Env = w.cmd.Env
	if terminal != nil {
		cmd.Stdin, cmd.Stderr = terminal, terminal
	}
	return cmd.Run()
}

// A person who mended what was refused, and tries again, is asked anew; a tool hears what is remembered for 10 s.
func TestAPersonAtATerminalIsAskedAnew(t *testing.T) {
	_, terminal := ttytest.Open(t)
	w := newDirWorld(t)
	for _, args := range [][]string{{"get"}, {"exec", "--", "true"}, {"whoami"}} {
		w.sts.Fail(emulator.Fault{Action: emulator.GetFederationToken, Code: "UnauthorizedOperation"})
		if w.run(nil, args...) == nil {
			t.Fatalf("%v: not refused", args)
		}
		w.sts.Heal()
		if w.run(nil, args...) == nil {
			t.Errorf("%v: a tool is asked anew", args)
		}
		if err := w.run(terminal, args...); err != nil {
			t.Errorf("%s: a person is not asked anew: %v", strings.Join(args, " "), err)
		}
		if err := w.run(nil, "clear"); err != nil {
			t.Fatal(err)
		}
	}
}

// STS allows 20 calls of GetCallerIdentity a second.
func TestThirtyWhoamiAtOnceStayUnderTheLimit(t *testing.T) {
	w := newDirWorld(t)
	w.cmd.Env = append(w.cmd.Env,
		"TENCENTCLOUD_SECRET_ID="+w.account.SecretID, "TENCENTCLOUD_SECRET_KEY="+w.account.SecretKey.Reveal())
	for _, args := range [][]string{{"whoami", "--key", "default"}, {"whoami", "--env"}} {
		var all sync.WaitGroup
		for range 30 {
			all.Go(func() {
				if err := w.run(nil, args...); err != nil {
					t.Errorf("%v: %v", args, err)
				}
			})
		}
		all.Wait()
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	slices.SortFunc(w.at, time.Time.Compare)
	for i := 20; i < len(w.at); i++ {
		if gap := w.at[i].Sub(w.at[i-20]); gap < time.Second {
			t.Errorf("21 calls in %s", gap)
		}
	}
	t.Logf("%d calls", len(w.at))
}
