package cli

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/tcred/tcred/api"
	"github.com/tcred/tcred/client"
	"github.com/tcred/tcred/internal/testworld"
	"github.com/tcred/tcred/internal/testworld/keyring"
)

// TestKeychainStories runs every script in testdata/keychain/*.txtar: worlds as those of TestStories, but with a
// session bus, and a real and unlocked gnome-keyring on it. Without TCRED_TEST_REAL=1 it skips; with it, what is
// missing fails it.
//
// Beside the commands config, sts-calls, sts-reset and follow there are
//
//	bus start|stop|deafen              there is a session bus, none, or one that never answers; each begins without a keyring
//	keyring start|stop                 a program offers a keychain, or none does
//	keyring lock|unlock|freeze|thaw    the keychain is locked, or not; its program answers nobody, or goes on
//	stranger                           another user's session, with an unlocked keyring and a bus that admits everybody,
//	                                   whose address is in STRANGERS_BUS; only root can make one
//	person types|dismisses             what happens to the keyring's password windows
//	windows N                          so many were raised so far
//	helper-fails STATUS CODE PROFILE   tcred-helper ends with that exit status in at most 6 s and prints no credential,
//	                                   and the daemon's status shows that error code
//	same-daemon                        the daemon is the one that ran when the script said so first
func TestKeychainStories(t *testing.T) {
	testworld.NeedPrograms(t, keyring.Programs...)
	bin := testworld.Binaries(t)
	testscript.Run(t, testscript.Params{
		Dir:                 filepath.Join("testdata", "keychain"),
		RequireExplicitExec: true,
		Setup:               func(env *testscript.Env) error { return newDesktop(t, env, bin) },
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"config": writeConfigFile, "expand": expandFiles, "sts-calls": stsCallsAre, "sts-reset": stsReset,
			"bus": turnBus, "keyring": turnKeyring, "person": turnPerson, "windows": windowsAre,
			"helper-fails": helperFails, "same-daemon": sameDaemon, "stranger": addStranger, "follow": follow,
		},
	})
}

// newDesktop is a world with a session in it.
func newDesktop(t *testing.T, env *testscript.Env, bin string) error {
	s, err := keyring.Start()
	if err != nil {
		return err
	}
	env.Defer(s.Close)
	env.Values["session"] = s
	if err := newWorld(t, env, bin); err != nil {
		return err
	}
	env.Setenv("DBUS_SESSION_BUS_ADDRESS", s.Address)
	return s.StartKeyring()
}

// turn does what the one argument names.
func turn(ts *testscript.TestScript, neg bool, args []string, how map[string]func() error) {
	script(ts, neg)
	if len(args) != 1 || how[args[0]] == nil {
		ts.Fatalf("not understood: %q", args)
	}
	ts.Check(how[args[0]]())
}

func turnBus(ts *testscript.TestScript, neg bool, args []string) {
	s := ts.Value("session").(*keyring.Session)
	turn(ts, neg, args, map[string]func() error{
		"start": s.StartBus, "deafen": s.DeafenBus, "stop": func() error { s.StopBus(); return nil },
	})
}

func turnKeyring(ts *testscript.TestScript, neg bool, args []string) {
	s := ts.Value("session").(*keyring.Session)
	turn(ts, neg, args, map[string]func() error{
		"start": s.StartKeyring, "stop": s.StopKeyring, "lock": s.Lock, "unlock": s.Unlock,
		"freeze": s.FreezeKeyring, "thaw": s.ThawKeyring,
	})
}

func turnPerson(ts *testscript.TestScript, neg bool, args []string) {
	s := ts.Value("session").(*keyring.Session)
	turn(ts, neg, args, map[string]func() error{
		"types":     func() error { s.Person.Types.Store(true); return nil },
		"dismisses": func() error { s.Person.Types.Store(false); return nil },
	})
}

func addStranger(ts *testscript.TestScript, neg bool, _ []string) {
	script(ts, neg)
	const nobody = 65534
	s, err := keyring.StartOf(nobody, func(cmd *exec.Cmd) {
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}
	})
	ts.Check(err)
	ts.Defer(s.Close)
	ts.Check(s.StartKeyring())
	ts.Setenv("STRANGERS_BUS", s.Address)
}

func windowsAre(ts *testscript.TestScript, neg bool, args []string) {
	script(ts, neg)
	got := ts.Value("session").(*keyring.Session).Person.Windows()
	if len(args) != 1 || args[0] != strconv.Itoa(got) {
		ts.Fatalf("%d windows were raised, not %q", got, args)
	}
}

// keychainPromise is how soon a call has failed that a keychain fails.
const keychainPromise = 6 * time.Second

func helperFails(ts *testscript.TestScript, neg bool, args []string) {
	script(ts, neg)
	if len(args) != 3 {
		ts.Fatalf("usage: helper-fails STATUS CODE PROFILE")
	}
	start := time.Now()
	err := ts.Exec("tcred-helper", args[2])
	took := time.Since(start)
	ts.Logf("%s after %.2f s", args[1], took.Seconds())
	var exit *exec.ExitError
	if !errors.As(err, &exit) || strconv.Itoa(exit.ExitCode()) != args[0] {
		ts.Fatalf("ended with %v", err)
	}
	if took > keychainPromise {
		ts.Fatalf("it took %v", took)
	}
	if out := ts.ReadFile("stdout"); out != "" {
		ts.Fatalf("it printed %d bytes", len(out))
	}
	for _, p := range daemonOf(ts).Profiles {
		if p.Name == args[2] && p.LastError != nil && string(p.LastError.Code) == args[1] {
			return
		}
	}
	ts.Fatalf("status shows no %s", args[1])
}

func daemonOf(ts *testscript.TestScript) api.Status {
	c := client.Client{Socket: filepath.Join(ts.Getenv("XDG_RUNTIME_DIR"), "tcred", "tcred.sock")}
	st, err := c.Status(context.Background())
	ts.Check(err)
	return st
}

func sameDaemon(ts *testscript.TestScript, neg bool, _ []string) {
	script(ts, neg)
	pid, before := fmt.Sprint(daemonOf(ts).PID), ts.Getenv("DAEMON_PID")
	if before != "" && before != pid {
		ts.Fatalf("the daemon is process %s, it was %s", pid, before)
	}
	ts.Setenv("DAEMON_PID", pid)
}
