package packaging

import (
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/tcred/tcred/internal/testworld"
)

// TestALifeUnderSystemd is the whole story, one chapter after another, in one machine.
func TestALifeUnderSystemd(t *testing.T) {
	m := boot(t)
	bin := build(t)
	m.copyIn(filepath.Join(bin, "tcred"), "/usr/bin/tcred")
	m.copyIn(filepath.Join(bin, "tcred-helper"), "/usr/bin/tcred-helper")
	m.settle()
	for _, chapter := range []struct {
		name string
		tell func(*testing.T, *machine)
	}{
		{"a daemon that a helper started yields to the service", yields},
		{"the first call starts the daemon and the journal has its words", activates},
		{"a restart loses no call", losesNoCall},
		{"a daemon that was killed comes back", comesBack},
		{"the keychain works", usesTheKeychain},
		{"the sandbox of the docs works where namespaces are allowed", works},
		{"a hung refresher is restarted by the watchdog", isRestarted},
		{"an install that was interrupted is mended by the next", isMended},
		{"a package's units are used in place of our own", usesThePackages},
		{"uninstall leaves config and keys", leavesNothing},
	} {
		if !t.Run(chapter.name, func(t *testing.T) { chapter.tell(t, &machine{t, m.leader}) }) {
			text := m.journal()
			t.Fatalf("the journal ends\n%s", text[max(0, len(text)-4000):])
		}
	}
}

// settle gives the user an STS and a key. The STS is the user's: plain http goes to nobody else's, and in a sandbox
// that knows the user only, root is somebody else. Its name is not tcred's: tests count those processes.
func (m *machine) settle() {
	m.t.Helper()
	const id, key = "AKIDtestOfTheServiceInSystemd0123456", "aSecretOfNoAccountAtAll012345678"
	_, err := m.asRoot(fmt.Sprintf(`cp /usr/bin/tcred /usr/local/bin/sts && chmod 755 /usr/local/bin/sts
systemd-run --unit=emulator --uid=%s /usr/local/bin/sts emulator --secret-id %s --secret-key %s`, testUID, id, key))
	if err != nil {
		m.t.Fatal(err)
	}
	m.must(fmt.Sprintf(`umask 077
mkdir -p .config/tcred keys
printf '%%s\n' 'endpoint = "http://127.0.0.1:8085"' '[keystore]' 'backend = "dir"' 'dir = "%s/keys"' >.config/tcred/config.toml
printf '%s\n%s\n' >keys/tcred.key.default`, home, id, key))
}

// call is one call of the helper; it has to bring a credential.
func (m *machine) call() {
	m.t.Helper()
	out := m.must("tcred-helper")
	if !strings.HasPrefix(out, `{"Version":1,`) {
		m.t.Fatalf("the helper printed %q", out)
	}
}

func (m *machine) mainPID() string {
	m.t.Helper()
	return m.property(SystemdServiceName, "MainPID")
}

func yields(t *testing.T, m *machine) {
	m.call()
	old := m.must("tcred status --json | sed -n 's/.*\"pid\": \\([0-9]*\\).*/\\1/p'")
	said := m.must("tcred service install")
	for _, want := range []string{
		"stopping the daemon that runs without a service, process " + old,
		"wrote " + home + "/.config/systemd/user/tcred.socket",
		"wrote " + home + "/.config/systemd/user/tcred.service",
		"ran systemctl --user enable --now tcred.socket",
		"the daemon, version dev, answers on " + runtimeDir + "/tcred/tcred.sock",
	} {
		if !strings.Contains(said, want) {
			t.Errorf("install did not say %q:\n%s", want, said)
		}
	}
	if out, err := m.asUser("kill -0 " + old); err == nil {
		t.Errorf("process %s is still there: %s", old, out)
	}
	if again := m.must("tcred service install"); strings.Contains(again, "wrote") || strings.Contains(again, "stop") {
		t.Errorf("a second install said\n%s", again)
	}
	status := m.must("tcred service status")
	if !strings.Contains(status, "active (running), enabled") || strings.Contains(status, "due") {
		t.Errorf("status says\n%s", status)
	}
	// One that a helper started while systemd did not listen sees that its socket was replaced.
	m.must("systemctl --user stop tcred.socket tcred.service")
	m.call()
	old = m.must("pgrep -x -u $USER tcred")
	m.must("systemctl --user start tcred.socket")
	m.eventually("the daemon without a socket ends", func() error {
		if _, err := m.asUser("kill -0 " + old); err != nil {
			return nil
		}
		return fmt.Errorf("process %s runs", old)
	})
	m.call()
}

func activates(t *testing.T, m *machine) {
	m.must("systemctl --user stop tcred.service")
	if state := m.property(SystemdServiceName, "ActiveState"); state != "inactive" {
		t.Fatalf("the service is %s", state)
	}
	if modes := m.must("stat -c %a $XDG_RUNTIME_DIR/tcred $XDG_RUNTIME_DIR/tcred/tcred.sock"); modes != "700\n600" {
		t.Errorf("the directory and the socket have modes %q", modes)
	}
	// What only looks starts nothing.
	for script, want := range map[string]string{
		"! tcred status":        "systemd listens, and starts it at the first call",
		"tcred daemon stop":     "no daemon runs",
		"tcred doctor | cat":    "none runs; the first tool that asks starts it",
		"tcred service status":  "inactive (dead)",
		"! tcred status --json": "the daemon is down",
	} {
		if said := m.must(script); !strings.Contains(said, want) || m.property(SystemdServiceName, "ActiveState") != "inactive" {
			t.Errorf("%s said\n%s", script, said)
		}
	}
	m.call()
	pid := m.mainPID()
	if want := "pid=" + pid; pid == "0" || !strings.Contains(m.journal(), want) {
		t.Errorf("the journal does not say %s:\n%s", want, m.journal())
	}
	if out, err := m.asRoot("grep -c '^Max core file size *0 *0 ' /proc/" + pid + "/limits"); err != nil {
		t.Errorf("core dumps are allowed: %s", out)
	}
	if out, err := m.asRoot("tr '\\0' '\\n' </proc/" + pid + "/environ | grep -E '^(LISTEN|NOTIFY|WATCHDOG)'"); err != nil {
		t.Errorf("systemd did not pass a socket and a watchdog: %s", out)
	}
	// Whoever is not this user gets nothing, root not excepted.
	answer, err := strictClient(fmt.Sprintf("/proc/%d/root%s/tcred/tcred.sock", m.leader, runtimeDir)).Get(strictURL)
	if err != nil {
		t.Fatal(err)
	}
	answer.Body.Close()
	if answer.StatusCode != http.StatusForbidden {
		t.Errorf("root got %s", answer.Status)
	}
}

func losesNoCall(t *testing.T, m *machine) {
	m.copyIn(os.Args[0], "/usr/bin/strict-clients")
	var out string
	var failed error
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		out, failed = m.asUser(`rm -f stop
for i in 1 2 3 4 5; do (while [ ! -e stop ]; do tcred-helper >/dev/null || echo LOST; done) & done
` + strictSocket + `=$XDG_RUNTIME_DIR/tcred/tcred.sock strict-clients -test.run='^TestStrictClients$' || echo LOST
wait`)
	}()
	defer func() { <-ended }()
	defer m.asUser("touch stop")
	for range 5 {
		time.Sleep(300 * time.Millisecond)
		before := m.mainPID()
		m.must("systemctl --user restart tcred.service")
		if after := m.mainPID(); after == before || after == "0" {
			t.Errorf("process %s follows %s", after, before)
		}
	}
	m.must("touch stop")
	<-ended
	if failed != nil || strings.Contains(out, "LOST") || strings.Contains(out, "error") {
		t.Errorf("%v\n%s", failed, out)
	}
	found := regexp.MustCompile(`calls: (\d+)`).FindStringSubmatch(out)
	if found == nil || len(found[1]) < 3 {
		t.Errorf("hardly a call was made:\n%s", out)
	}
	t.Logf("%s through 5 restarts", found[0])
}

func comesBack(t *testing.T, m *machine) {
	m.call()
	before := m.mainPID()
	m.must("kill -9 " + before)
	m.call() // it waits at the socket
	if after := m.mainPID(); after == before || after == "0" {
		t.Errorf("process %s follows %s", after, before)
	}
	if n := m.property(SystemdServiceName, "NRestarts"); n != "1" {
		t.Errorf("systemd restarted it %s times", n)
	}
}

func usesTheKeychain(t *testing.T, m *machine) {
	testworld.NeedPrograms(t, "gnome-keyring-daemon")
	m.must(`pgrep -u $USER gnome-keyring >/dev/null || printf pw | gnome-keyring-daemon --unlock --components=secrets --daemonize`)
	m.eventually("the keychain is on the bus", func() error {
		out, err := m.asUser("busctl --user call org.freedesktop.DBus / org.freedesktop.DBus NameHasOwner s org.freedesktop.secrets")
		if err == nil && out != "b true" {
			err = errors.New(out)
		}
		return err
	})
	m.must(`cp .config/tcred/config.toml config.dir
printf '%s\n' 'endpoint = "http://127.0.0.1:8085"' >.config/tcred/config.toml
tail -1 keys/tcred.key.default | tcred add --secret-id "$(head -1 keys/tcred.key.default)" --secret-key-stdin
tcred clear --all
systemctl --user restart tcred.service`)
	m.call()
	if out := m.must("tcred status"); !strings.Contains(out, "keychain") {
		t.Errorf("status says\n%s", out)
	}
	m.must(`tcred remove default --force
cp config.dir .config/tcred/config.toml
rm config.dir
systemctl --user restart tcred.service`)
	m.call()
}

// sandbox is the drop-in that README.md offers.
func sandbox(t *testing.T) string {
	t.Helper()
	docs, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, text, ok := strings.Cut(string(docs), "```ini\n")
	text, _, closed := strings.Cut(text, "```")
	if !ok || !closed {
		t.Fatal("README.md offers no drop-in")
	}
	return text
}

func works(t *testing.T, m *machine) {
	drop := ".config/systemd/user/tcred.service.d/sandbox.conf"
	m.must("mkdir -p $(dirname " + drop + ")\ncat >" + drop + " <<'END'\n" + sandbox(t) + "END\nsystemctl --user daemon-reload && systemctl --user restart tcred.service && tcred clear --all")
	m.call()
	if out, err := m.asRoot("cat /proc/" + m.mainPID() + "/uid_map"); err != nil || len(strings.Fields(out)) != 3 || strings.Fields(out)[2] != "1" {
		t.Errorf("the daemon is in no user namespace of its own: %q, %v", out, err)
	}
	if out, err := m.asRoot("readlink /proc/" + m.mainPID() + "/ns/mnt /proc/1/ns/mnt | uniq | wc -l"); err != nil || out != "2" {
		t.Errorf("the daemon is in no mount namespace of its own: %q, %v", out, err)
	}
	usesTheKeychain(t, m)
	m.must("rm " + drop + "\nsystemctl --user daemon-reload && systemctl --user restart tcred.service")
	m.call()
}

func isRestarted(t *testing.T, m *machine) {
	m.copyIn(filepath.Join(hungBuild(t), "tcred"), "/usr/bin/tcred")
	m.must(`mkdir -p .config/systemd/user/tcred.service.d
printf '[Service]\nWatchdogSec=10s\n' >.config/systemd/user/tcred.service.d/watchdog.conf
systemctl --user daemon-reload && systemctl --user restart tcred.service`)
	m.call()
	before := m.mainPID()
	time.Sleep(12 * time.Second)
	if after := m.mainPID(); after != before {
		t.Fatalf("a daemon that works was restarted")
	}
	m.must("touch $XDG_RUNTIME_DIR/hang")
	m.eventually("another daemon runs", func() error {
		if after := m.mainPID(); after == before || after == "0" {
			return fmt.Errorf("process %s runs", after)
		}
		return nil
	})
	m.call()
	if text := m.journal(); !strings.Contains(text, "Watchdog timeout") {
		t.Errorf("the journal has no watchdog:\n%s", text)
	}
	m.must("rm .config/systemd/user/tcred.service.d/watchdog.conf; systemctl --user daemon-reload")
}

func isMended(t *testing.T, m *machine) {
	const install = "TCRED_CACHE_DIR=$HOME/elsewhere tcred service install"
	// A systemctl that ends who called it where systemd would read what was written.
	m.must(`mkdir -p bin
printf '%s\n' '#!/bin/sh' '[ "$2" != daemon-reload ] || kill -9 $PPID' 'exec /usr/bin/systemctl "$@"' >bin/systemctl
chmod 755 bin/systemctl`)
	if said, err := m.asUser("PATH=$HOME/bin:$PATH " + install); err == nil {
		t.Fatalf("nothing interrupted install\n%s", said)
	}
	if out := m.must("tcred service status"); !strings.Contains(out, "due") || !strings.Contains(out, "tcred service install") {
		t.Errorf("status says\n%s", out)
	}
	m.must(install)
	m.call()
	if out, err := m.asRoot("tr '\\0' '\\n' </proc/" + m.mainPID() + "/environ | grep ^TCRED_CACHE_DIR"); err != nil {
		t.Errorf("the daemon has another environment: %s", out)
	}
	// A unit changes under a daemon that runs.
	m.must(`printf '[Service]\nEnvironment=NEWS=1\n' >.config/systemd/user/tcred.service.d/news.conf`)
	m.must(install)
	m.call()
	if out, err := m.asRoot("tr '\\0' '\\n' </proc/" + m.mainPID() + "/environ | grep ^NEWS"); err != nil {
		t.Errorf("the daemon runs as the old unit says: %s", out)
	}
	m.must(`tcred clear --all
rm -r bin elsewhere .config/systemd/user/tcred.service.d/news.conf
tcred service uninstall
systemctl --user mask tcred.socket`)
	if said, err := m.asUser("tcred service install"); err == nil || !strings.Contains(said, "systemctl --user unmask tcred.socket") {
		t.Errorf("a masked socket: install said\n%s", said)
	}
	m.must("systemctl --user unmask tcred.socket && tcred service install")
	m.call()
}

func usesThePackages(t *testing.T, m *machine) {
	for _, unit := range []string{SystemdSocketName, SystemdServiceName} {
		m.copyIn(filepath.Join("systemd", unit), "/usr/lib/systemd/user/"+unit)
	}
	said := m.must("tcred service install")
	for _, want := range []string{
		"the units in /usr/lib/systemd/user are used", "removed " + home + "/.config/systemd/user/tcred.service",
		"ran systemctl --user enable --now tcred.socket",
	} {
		if !strings.Contains(said, want) || strings.Contains(said, "warning") {
			t.Errorf("install did not say %q:\n%s", want, said)
		}
	}
	if from := m.property(SystemdServiceName, "FragmentPath"); from != "/usr/lib/systemd/user/tcred.service" {
		t.Errorf("the service is from %s", from)
	}
	m.call()
	m.must("tcred service restart")
	m.call()
	m.must("tcred service uninstall")
	if out := m.must("systemctl --user is-enabled tcred.socket || true"); out != "disabled" {
		t.Errorf("the socket is %s", out)
	}
	if _, err := m.asRoot("rm /usr/lib/systemd/user/tcred.*"); err != nil {
		t.Fatal(err)
	}
	m.must("tcred service install")
	m.call()
}

func leavesNothing(t *testing.T, m *machine) {
	said := m.must("tcred service uninstall")
	if !strings.Contains(said, "ran systemctl --user disable --now tcred.socket tcred.service") {
		t.Errorf("uninstall said\n%s", said)
	}
	m.must("tcred clear --all; rm -f stop")
	if out, err := m.asUser("pgrep -x -u $USER tcred"); err == nil {
		t.Errorf("process %s is left", out)
	}
	if out := m.must("find $XDG_RUNTIME_DIR/tcred -type s"); out != "" {
		t.Errorf("a socket is left: %s", out)
	}
	if out, err := m.asUser("systemctl --user cat tcred.service"); err == nil {
		t.Errorf("a unit is left:\n%s", out)
	}
	want := `.config/tcred/config.toml
.local/state/tcred/keys.json
.local/state/tcred/keys.json.lock
keys/tcred.key.default`
	left := m.must(`find . -type f ! -path './.local/share/keyrings/*' ! -name '.bash*' ! -name .profile |
sed 's:^\./::; s:/[0-9a-f]*\.lock:/*.lock:' | sort -u`)
	if left != want {
		t.Errorf("what is left is\n%s\nnot\n%s", left, want)
	}
	if out := m.must("find .config/systemd ! -type d"); out != "" {
		t.Errorf("of the units is left\n%s", out)
	}
}
