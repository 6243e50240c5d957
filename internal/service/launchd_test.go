package service_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/tcred/tcred/client"
	"github.com/tcred/tcred/internal/cli"
	"github.com/tcred/tcred/internal/disk"
	"github.com/tcred/tcred/internal/service"
	"github.com/tcred/tcred/packaging"
)

// standIn is launchctl as far as the story below needs it: loaded is a file, and what is loaded runs.
const standIn = `#!/bin/sh
echo "$*" >>"$HOME/calls"
case "$1" in
print) [ -f "$HOME/loaded" ] || exit 113; printf 'gui = {\n\tstate = running\n\tpid = %s\n\tx = {\n\t\tstate = odd\n\t}\n}\n' "$(cat "$HOME/loaded")" ;;
enable) ;;
bootstrap)
	[ -f "$HOME/refused" ] || { touch "$HOME/refused"; echo "Bootstrap failed: 5: Input/output error" >&2; exit 5; }
	tcred daemon --service --background </dev/null >/dev/null 2>&1 &
	echo $! >"$HOME/loaded" ;;
bootout) [ ! -f "$HOME/interrupt" ] || exit 1; tcred daemon stop >/dev/null 2>&1; rm "$HOME/loaded" ;;
kickstart) ;;
*) exit 64 ;;
esac
`

// TestMain makes the test binary tcred itself where it is run under that name: the stand-in for launchctl does so.
func TestMain(m *testing.M) {
	if filepath.Base(os.Args[0]) == "tcred" {
		os.Exit(cli.Main(os.Args))
	}
	os.Exit(m.Run())
}

// session is a user's login session with launchd in it.
type session struct {
	home string
	out  bytes.Buffer // what a dry run shows
	said bytes.Buffer // what was said since the last step
}

func newSession(t *testing.T) *session {
	t.Helper()
	if runtime.GOOS == "windows" {
		t.Skip("there is no daemon on windows yet")
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	home, err := os.MkdirTemp("/tmp", "tcred")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(home) })
	bin := filepath.Join(home, "bin")
	if err := errors.Join(
		os.Mkdir(bin, 0o700),
		os.WriteFile(filepath.Join(bin, "launchctl"), []byte(standIn), 0o700),
		os.Symlink(self, filepath.Join(bin, "tcred")),
	); err != nil {
		t.Fatal(err)
	}
	for name, value := range map[string]string{
		"HOME": home, "PATH": bin + ":" + os.Getenv("PATH"),
		"TCRED_SOCKET": filepath.Join(home, "run", "s"), "TCRED_CONFIG": "", "TCRED_CACHE_DIR": "",
		"XDG_RUNTIME_DIR": "", "XDG_CONFIG_HOME": "", "XDG_CACHE_HOME": "", "XDG_DATA_HOME": "",
		"XDG_STATE_HOME": filepath.Join(home, "state"),
	} {
		t.Setenv(name, value)
	}
	t.Cleanup(func() {
		if _, err := service.StopDaemon(context.Background(), new(client.Client)); err != nil {
			t.Error(err)
		}
	})
	return &session{home: home}
}

// service is the service under launchd, whose words go into the session's buffers.
func (s *session) service(t *testing.T, dry bool) *service.Service {
	t.Helper()
	say := func(format string, args ...any) { fmt.Fprintf(&s.said, format+"\n", args...) }
	managed, err := service.New("darwin", service.Options{DryRun: dry, Say: say, Warn: say, Out: &s.out})
	if err != nil {
		t.Fatal(err)
	}
	return managed
}

// do takes one step. What it says holds each of the words, and none of those after "! ".
func (s *session) do(t *testing.T, step func(*service.Service, context.Context) error, dry bool, words ...string) {
	t.Helper()
	s.said.Reset()
	if err := step(s.service(t, dry), t.Context()); err != nil {
		t.Fatalf("%v after %s", err, &s.said)
	}
	for _, word := range words {
		unwanted, negated := strings.CutPrefix(word, "! ")
		if strings.Contains(s.said.String(), unwanted) == negated {
			t.Errorf("%q is or is not in %q", unwanted, &s.said)
		}
	}
}

func (s *session) status(t *testing.T) service.Status {
	t.Helper()
	st, err := s.service(t, false).Status(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return st
}

func TestTheAgentIsInstalledOnceAndGoesWhole(t *testing.T) {
	s := newSession(t)
	install, uninstall, restart := (*service.Service).Install, (*service.Service).Uninstall, (*service.Service).Restart
	plist := filepath.Join(s.home, "Library", "LaunchAgents", packaging.LaunchdLabel+".plist")
	socket := filepath.Join(s.home, "run", "s")

	s.do(t, install, true, "would write "+plist, "would run launchctl bootstrap gui/")
	if !strings.Contains(s.out.String(), "<key>TCRED_CONFIG</key>") || disk.IsFile(plist) {
		t.Errorf("a dry run shows %q", &s.out)
	}
	s.do(t, install, false, "wrote "+plist, "ran launchctl bootstrap gui/", "answers on "+socket)
	text, err := os.ReadFile(plist)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"<string>" + socket + "</string>",
		"<string>" + filepath.Join(s.home, ".config", "tcred", "config.toml") + "</string>",
		"<key>XDG_STATE_HOME</key>", "<string>" + filepath.Join(s.home, "state", "tcred", "daemon.log") + "</string>",
	} {
		if !strings.Contains(string(text), want) {
			t.Errorf("no %s in the agent", want)
		}
	}
	s.do(t, install, false, "is as it should be", "the agent is loaded", "! bootstrap")

	st := s.status(t)
	if st.PID == 0 || st.Due != "" || len(st.States) != 1 || st.States[0][1] != "running" {
		t.Errorf("status is %+v", st)
	}
	if want := fmt.Sprintf("version dev, process %d", st.PID); st.Daemon != want {
		t.Errorf("the daemon is %q, want %q", st.Daemon, want)
	}
	s.do(t, restart, false, "ran launchctl kickstart -k gui/")

	t.Setenv("TCRED_CACHE_DIR", filepath.Join(s.home, "cache"))
	if st := s.status(t); st.Due == "" {
		t.Errorf("status does not tell of a change: %+v", st)
	}
	interrupt := filepath.Join(s.home, "interrupt")
	if err := os.WriteFile(interrupt, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if s.service(t, false).Install(t.Context()) == nil {
		t.Error("an agent that was not ended was replaced")
	}
	if err := os.Remove(interrupt); err != nil {
		t.Fatal(err)
	}
	s.do(t, install, false, "wrote ", "ran launchctl bootout gui/", "ran launchctl bootstrap")
	s.do(t, uninstall, false, "ran launchctl bootout gui/", "removed "+plist)
	s.do(t, uninstall, false, "nothing that install wrote is here")
	if disk.IsFile(plist) {
		t.Error("the agent is still there")
	}
	if s.service(t, false).Restart(t.Context()) == nil {
		t.Error("what is not installed was restarted")
	}
}
