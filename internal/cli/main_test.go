package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/tcred/tcred/api"
	"github.com/tcred/tcred/client"
	"github.com/tcred/tcred/credential"
	"github.com/tcred/tcred/emulator"
	"github.com/tcred/tcred/internal/testworld"
	"github.com/tcred/tcred/keystore"
)

// TestStories runs every script in testdata/*.txtar: the real binaries, as `tcred` and `tcred-helper` on PATH, against
// the emulator. One alone: go test ./internal/cli -run 'TestStories/^add$'.
//
// Each script has a world of its own: HOME and all XDG directories below $WORK, a runtime directory of a short path,
// no session bus, and an emulator with two accounts. It ends with its daemon stopped and gone. Its variables:
//
//	STS_URL                    the emulator
//	SUB_ID SUB_KEY SUB_UIN     a sub-account's SecretId, SecretKey, uin; SUB_ACCOUNT is the account it is in
//	ROOT_ID ROOT_KEY ROOT_UIN  a root account's
//	CONFIG                     the path of config.toml
//
// and its files, for stdin: sub.key and root.key with the SecretKeys, passphrase with what file-keystore was given.
//
// Beside testscript's own commands there are
//
//	config [SETTING=VALUE...] [FILE]   writes config.toml: endpoint = $STS_URL, FILE with its variables expanded, and
//	                                   [keystore] with these settings
//	expand FILE...                     expands the variables in files of the script
//	file-keystore PASSPHRASE           makes a file keystore that opens fast
//	[!] sts-calls ACTION N             ACTION ("" is any) was called N times
//	sts-fail JSON                      a fault, as the emulator's admin path takes it, such as '{"code":"InternalError"}'
//	sts-heal                           no more faults
//	sts-reset                          a new beginning: temporary credentials, faults and counts forgotten
//	wait-daemon                        until the daemon, started in the background, listens
//	[!] follow-hint [ARG...]           runs the command in the last hint on stderr, as it stands there, with these arguments
//	                                   behind it: it begins the hint, or stands behind a colon, and ends with the hint or
//	                                   before a comma or a semicolon
//	mode PERM FILE...                  the files have these permissions, such as 0600
//	[!] follow [doctor CHECK] [N] [WORD=VALUE...]
//	                                   runs the command that the last hint names; see there
//	two-sites                          both real sites on this machine, for a config without endpoint: proxy = $PROXY,
//	                                   ca_file = $CA_FILE; the sub-account is known at intl only
//	emulator [FLAG...]                 tcred emulator on a free port. What it prints is in emulator.env, and its
//	                                   variables are the script's
//	emulator-ends                      ends it; what it said on stderr is in emulator.err
func TestStories(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("there is no daemon on windows yet")
	}
	bin := testworld.Binaries(t)
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata",
		RequireExplicitExec: true,
		Setup:               func(env *testscript.Env) error { return newWorld(t, env, bin) },
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"config": writeConfigFile, "expand": expandFiles, "file-keystore": makeFileKeystore,
			"sts-calls": stsCallsAre, "sts-fail": stsFail, "sts-heal": stsHeal, "sts-reset": stsReset,
			"wait-daemon": waitDaemon, "mode": modeIs, "two-sites": twoSites, "follow-hint": followHint, "follow": follow,
			"emulator": startEmulator, "emulator-ends": endEmulator,
		},
	})
}

func TestMain(m *testing.M) { os.Exit(testworld.Run(m)) }

// world is what a script's commands share.
type world struct {
	sts       *emulator.Emulator
	sub, root emulator.Account
	emulator  *background // that the script started
}

// newWorld sets up one script's.
func newWorld(t *testing.T, env *testscript.Env, bin string) error {
	w := &world{sub: emulator.NewAccount(false), root: emulator.NewAccount(true)}
	w.sts = emulator.New(emulator.Options{Accounts: []emulator.Account{w.sub, w.root}})
	server := httptest.NewServer(w.sts)
	env.Defer(server.Close)
	env.Values["world"] = w

	runtimeDir := testworld.ShortDir(t)
	home := filepath.Join(env.WorkDir, "home")
	for name, value := range map[string]string{
		"HOME": home, "PATH": bin + string(filepath.ListSeparator) + os.Getenv("PATH"), "XDG_RUNTIME_DIR": runtimeDir,
		"XDG_CONFIG_HOME": filepath.Join(home, ".config"), "XDG_CACHE_HOME": filepath.Join(home, ".cache"),
		"XDG_STATE_HOME": filepath.Join(home, ".local", "state"), "XDG_DATA_HOME": filepath.Join(home, ".local", "share"),
		"DBUS_SESSION_BUS_ADDRESS": "unix:path=" + filepath.Join(runtimeDir, "no-bus"),
		"CONFIG":                   filepath.Join(home, ".config", "tcred", "config.toml"),
		"STS_URL":                  server.URL, "SUB_ACCOUNT": w.sub.AccountID,
		"SUB_ID": w.sub.SecretID, "SUB_KEY": w.sub.SecretKey.Reveal(), "SUB_UIN": w.sub.UIN,
		"ROOT_ID": w.root.SecretID, "ROOT_KEY": w.root.SecretKey.Reveal(), "ROOT_UIN": w.root.UIN,
	} {
		env.Setenv(name, value)
	}
	env.Defer(func() { endDaemon(t, bin, filepath.Join(runtimeDir, "tcred", "tcred.sock")) })
	if err := os.MkdirAll(home, 0o700); err != nil {
		return err
	}
	for name, secret := range map[string]credential.Secret{"sub.key": w.sub.SecretKey, "root.key": w.root.SecretKey} {
		if err := os.WriteFile(filepath.Join(env.WorkDir, name), []byte(secret.Reveal()+"\n"), 0o600); err != nil {
			return err
		}
	}
	return nil
}

// endDaemon stops the daemon of a script, if there is one, and sees that its process is gone.
func endDaemon(t *testing.T, bin, socket string) {
	ctx, cancel := context.WithTimeout(context.Background(), 15*time.Second)
	defer cancel()
	stop := exec.CommandContext(ctx, filepath.Join(bin, "tcred"), "daemon", "stop")
	stop.Env = append(os.Environ(), api.EnvSocket+"="+socket)
	if out, err := stop.CombinedOutput(); err != nil {
		t.Errorf("the daemon at %s does not stop: %v\n%s", socket, err, out)
	}
}

// script is the world of ts; a negated command is an error where neg may not be.
func script(ts *testscript.TestScript, neg bool) *world {
	if neg {
		ts.Fatalf("this command cannot be negated")
	}
	return ts.Value("world").(*world)
}

// expanded is a file of the script with its variables expanded.
func expanded(ts *testscript.TestScript, file string) string {
	return os.Expand(ts.ReadFile(file), ts.Getenv)
}

func writeConfigFile(ts *testscript.TestScript, neg bool, args []string) {
	script(ts, neg)
	text, store := fmt.Sprintf("endpoint = %q\n", ts.Getenv("STS_URL")), "\n[keystore]\n"
	for _, arg := range args {
		if name, value, ok := strings.Cut(arg, "="); ok {
			store += fmt.Sprintf("%s = %q\n", name, value)
		} else {
			text += expanded(ts, arg)
		}
	}
	path := ts.Getenv("CONFIG")
	ts.Check(os.MkdirAll(filepath.Dir(path), 0o700))
	ts.Check(os.WriteFile(path, []byte(text+store), 0o600))
}

func expandFiles(ts *testscript.TestScript, neg bool, args []string) {
	script(ts, neg)
	for _, file := range args {
		ts.Check(os.WriteFile(ts.MkAbs(file), []byte(expanded(ts, file)), 0o600))
	}
}

func makeFileKeystore(ts *testscript.TestScript, neg bool, args []string) {
	script(ts, neg)
	if len(args) != 1 {
		ts.Fatalf("usage: file-keystore PASSPHRASE")
	}
	const fast = 10
	ts.Check(keystore.CreateFile(filepath.Join(ts.Getenv("XDG_DATA_HOME"), "tcred", "keys"), credential.Secret(args[0]), fast))
	ts.Check(os.WriteFile(ts.MkAbs("passphrase"), []byte(args[0]+"\n"), 0o600))
}

func stsCallsAre(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) != 2 {
		ts.Fatalf("usage: sts-calls ACTION N")
	}
	want, err := strconv.ParseInt(args[1], 10, 64)
	ts.Check(err)
	if got := script(ts, false).sts.Calls(args[0]); got == want == neg {
		ts.Fatalf("%d calls of %q", got, args[0])
	}
}

func stsFail(ts *testscript.TestScript, neg bool, args []string) {
	script(ts, neg)
	if len(args) != 1 || !json.Valid([]byte(args[0])) {
		ts.Fatalf("usage: sts-fail JSON")
	}
	resp, err := http.Post(ts.Getenv("STS_URL")+emulator.AdminPath+"faults", api.TypeJSON, strings.NewReader(args[0]))
	ts.Check(err)
	resp.Body.Close()
	if resp.StatusCode != http.StatusNoContent {
		ts.Fatalf("the emulator refuses the fault: %s", resp.Status)
	}
}

func stsHeal(ts *testscript.TestScript, neg bool, _ []string)  { script(ts, neg).sts.Heal() }
func stsReset(ts *testscript.TestScript, neg bool, _ []string) { script(ts, neg).sts.Reset() }

func waitDaemon(ts *testscript.TestScript, neg bool, _ []string) {
	script(ts, neg)
	c := &client.Client{Socket: filepath.Join(ts.Getenv("XDG_RUNTIME_DIR"), "tcred", "tcred.sock")}
	for range 500 {
		if _, err := c.Status(context.Background()); err == nil {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	ts.Fatalf("no daemon listens after 5 s")
}

func modeIs(ts *testscript.TestScript, neg bool, args []string) {
	script(ts, neg)
	for _, file := range args[1:] {
		info, err := os.Stat(ts.MkAbs(file))
		ts.Check(err)
		if got := fmt.Sprintf("%04o", info.Mode().Perm()); got != args[0] {
			ts.Fatalf("%s is %s", file, got)
		}
	}
}
