package cli

import (
	"bytes"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/tcred/tcred/internal/testworld"
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

// inSession is a user's login session with launchd in it: an app whose words are in the buffer.
func inSession(t *testing.T) (m manager, home string, out, said *bytes.Buffer) {
	t.Helper()
	if runtime.GOOS == "windows" {
		t.Skip("there is no daemon on windows yet")
	}
	bin := testworld.Binaries(t)
	home = testworld.ShortDir(t)
	if err := os.Mkdir(filepath.Join(home, "bin"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(home, "bin", "launchctl"), []byte(standIn), 0o700); err != nil {
		t.Fatal(err)
	}
	for name, value := range map[string]string{
		"HOME": home, "PATH": filepath.Join(home, "bin") + ":" + bin + ":" + os.Getenv("PATH"),
		"TCRED_SOCKET": filepath.Join(home, "run", "s"), "TCRED_CONFIG": "", "TCRED_CACHE_DIR": "",
		"XDG_RUNTIME_DIR": "", "XDG_CONFIG_HOME": "", "XDG_CACHE_HOME": "", "XDG_DATA_HOME": "", "XDG_STATE_HOME": filepath.Join(home, "state"),
	} {
		t.Setenv(name, value)
	}
	t.Cleanup(func() { endDaemon(t, filepath.Join(home, "run", "s")) })
	out, said = new(bytes.Buffer), new(bytes.Buffer)
	m, err := (&app{in: strings.NewReader(""), out: out, err: said}).manager("darwin")
	if err != nil {
		t.Fatal(err)
	}
	return m, home, out, said
}

func TestTheAgentIsInstalledOnceAndGoesWhole(t *testing.T) {
	m, home, out, said := inSession(t)
	app := m.(*launchd).app
	plist := filepath.Join(home, "Library", "LaunchAgents", packaging.LaunchdLabel+".plist")
	do := func(verb func(*steps) error, dry bool, want ...string) {
		t.Helper()
		said.Reset()
		if err := verb(&steps{app: app, dry: dry}); err != nil {
			t.Fatalf("%v after %s", err, said)
		}
		for _, line := range want {
			if unwanted, ok := strings.CutPrefix(line, "! "); ok == strings.Contains(said.String(), strings.TrimPrefix(line, "! ")) {
				t.Errorf("%q is or is not in %q", unwanted, said)
			}
		}
	}
	install := func(s *steps) error { return m.install(t.Context(), s) }
	uninstall := func(s *steps) error { return m.uninstall(t.Context(), s) }

	do(install, true, "would write "+plist, "would run launchctl bootstrap gui/")
	if !strings.Contains(out.String(), "<key>TCRED_CONFIG</key>") || isFile(plist) {
		t.Errorf("a dry run shows %q", out)
	}
	do(install, false, "wrote "+plist, "ran launchctl bootstrap gui/", "answers on "+filepath.Join(home, "run", "s"))
	text, err := os.ReadFile(plist)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"<string>" + filepath.Join(home, "run", "s") + "</string>", "<string>" + filepath.Join(home, ".config", "tcred", "config.toml") + "</string>",
		"<key>XDG_STATE_HOME</key>", "<string>" + filepath.Join(home, "state", "tcred", "daemon.log") + "</string>",
	} {
		if !strings.Contains(string(text), want) {
			t.Errorf("no %s in the agent", want)
		}
	}
	do(install, false, "is as it should be", "the agent is loaded", "! bootstrap")

	st, err := m.status(t.Context())
	if err != nil || st.PID == 0 || st.Outdated != "" || len(st.States) != 1 || st.States[0][1] != "running" {
		t.Errorf("status is %+v, %v", st, err)
	}
	out.Reset()
	if err := app.printServiceStatus(t.Context(), st); err != nil || !strings.Contains(out.String(), "version dev, process") {
		t.Errorf("it shows %q, %v", out, err)
	}
	do(func(s *steps) error { return m.restart(t.Context(), s) }, false, "ran launchctl kickstart -k gui/")

	t.Setenv("TCRED_CACHE_DIR", filepath.Join(home, "cache"))
	if st, err := m.status(t.Context()); err != nil || st.Outdated == "" {
		t.Errorf("status does not tell of a change: %+v, %v", st, err)
	}
	interrupt := filepath.Join(home, "interrupt")
	if err := os.WriteFile(interrupt, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := install(&steps{app: app}); err == nil {
		t.Error("an agent that was not ended was replaced")
	}
	if err := os.Remove(interrupt); err != nil {
		t.Fatal(err)
	}
	do(install, false, "wrote ", "ran launchctl bootout gui/", "ran launchctl bootstrap")
	do(uninstall, false, "ran launchctl bootout gui/", "removed "+plist)
	do(uninstall, false, "nothing that install wrote is here")
	if isFile(plist) {
		t.Error("the agent is still there")
	}
	if err := m.restart(t.Context(), &steps{app: app}); err == nil {
		t.Error("what is not installed was restarted")
	}
}
