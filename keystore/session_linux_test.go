package keystore

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/godbus/dbus/v5"
)

const keyringPassword = "pw"

// session is a private D-Bus session bus, on which the tests run a real gnome-keyring.
type session struct {
	services string // directory of what the bus can start
	stop     func()
}

// newSession starts a bus that offers nothing yet, and points this process's environment to it.
// Without TCRED_TEST_REAL=1 it skips the test; with it, whatever is missing fails it.
func newSession(t *testing.T) *session {
	t.Helper()
	if os.Getenv("TCRED_TEST_REAL") != "1" {
		t.Skip("needs dbus-daemon and gnome-keyring-daemon: TCRED_TEST_REAL=1 runs it")
	}
	home, err := os.MkdirTemp("", "tcred") // t.TempDir is too long for a socket
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(home) })
	for variable, dir := range map[string]string{
		"HOME": "", "XDG_RUNTIME_DIR": "run", "XDG_DATA_HOME": "data", "XDG_CONFIG_HOME": "config", "XDG_CACHE_HOME": "cache",
	} {
		t.Setenv(variable, filepath.Join(home, dir))
		if err := os.MkdirAll(filepath.Join(home, dir), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	s := &session{services: t.TempDir()}
	config := filepath.Join(home, "bus.conf")
	write(t, config, fmt.Sprintf(busConfig, home, s.services), 0o600)
	bus := exec.Command("dbus-daemon", "--nofork", "--nopidfile", "--print-address", "--config-file="+config)
	out, err := bus.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	s.stop = start(t, bus)
	address, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatalf("dbus-daemon did not start: %v", err)
	}
	t.Setenv("DBUS_SESSION_BUS_ADDRESS", strings.TrimSpace(address))
	return s
}

const busConfig = `<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN" "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <type>session</type><listen>unix:dir=%s</listen><servicedir>%s</servicedir>
  <policy context="default"><allow send_destination="*" eavesdrop="true"/><allow eavesdrop="true"/><allow own="*"/></policy>
</busconfig>`

// start runs a daemon that ends with the test, or before by stop.
func start(t *testing.T, cmd *exec.Cmd) (stop func()) {
	t.Helper()
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	stop = func() {
		cmd.Process.Kill()
		cmd.Wait()
	}
	t.Cleanup(stop)
	return stop
}

// startKeyring runs a keyring with an unlocked login collection, as a desktop login does.
func (s *session) startKeyring(t *testing.T) {
	t.Helper()
	keyring := exec.Command("gnome-keyring-daemon", "--foreground", "--unlock", "--components=secrets")
	keyring.Stdin = strings.NewReader(keyringPassword)
	start(t, keyring)
	conn := connect(t)
	for range 500 {
		var owned bool
		if err := conn.BusObject().Call("org.freedesktop.DBus.NameHasOwner", 0, secretsName).Store(&owned); err != nil {
			t.Fatal(err)
		}
		if owned {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Fatal("gnome-keyring-daemon did not take its name")
}

// offerKeyring lets the bus start a keyring that nobody has logged in to.
func (s *session) offerKeyring(t *testing.T) {
	t.Helper()
	path, err := exec.LookPath("gnome-keyring-daemon")
	if err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(s.services, secretsName+".service"),
		"[D-BUS Service]\nName="+secretsName+"\nExec="+path+" --foreground --start --components=secrets\n", 0o600)
	if err := connect(t).BusObject().Call("org.freedesktop.DBus.ReloadConfig", 0).Err; err != nil {
		t.Fatal(err)
	}
}

func connect(t *testing.T) *dbus.Conn {
	t.Helper()
	conn, err := dbus.Connect(os.Getenv("DBUS_SESSION_BUS_ADDRESS"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return conn
}

func (s *session) lock(t *testing.T) {
	t.Helper()
	service := connect(t).Object(secretsName, secretsPath)
	if err := service.Call(serviceAPI+"Lock", 0, []dbus.ObjectPath{loginPath}).Err; err != nil {
		t.Fatal(err)
	}
}

// unlock gives the password through the door that GNOME keeps for its own login manager.
func (s *session) unlock(t *testing.T) {
	t.Helper()
	service := connect(t).Object(secretsName, secretsPath)
	var ignored dbus.Variant
	var path dbus.ObjectPath
	if err := service.Call(serviceAPI+"OpenSession", 0, "plain", dbus.MakeVariant("")).Store(&ignored, &path); err != nil {
		t.Fatal(err)
	}
	password := struct {
		Session           dbus.ObjectPath
		Parameters, Value []byte
		ContentType       string
	}{path, nil, []byte(keyringPassword), "text/plain"}
	err := service.Call("org.gnome.keyring.InternalUnsupportedGuiltRiddenInterface.UnlockWithMasterPassword", 0, loginPath, password).Err
	if err != nil {
		t.Fatal(err)
	}
}

// prompter stands in for the window that asks for a password. Its person always dismisses it.
type prompter struct {
	conn   *dbus.Conn
	raised atomic.Int32
}

const (
	prompterAPI  = "org.gnome.keyring.internal.Prompter"
	prompterPath = "/org/gnome/keyring/Prompter"
)

func (s *session) prompter(t *testing.T) *prompter {
	t.Helper()
	p := &prompter{conn: connect(t)}
	if err := p.conn.Export(p, prompterPath, prompterAPI); err != nil {
		t.Fatal(err)
	}
	if _, err := p.conn.RequestName("org.gnome.keyring.SystemPrompter", dbus.NameFlagDoNotQueue); err != nil {
		t.Fatal(err)
	}
	return p
}

// ready answers the keyring, which listens only once the call from it has returned.
func (p *prompter) ready(from dbus.Sender, callback dbus.ObjectPath, reply string) *dbus.Error {
	time.AfterFunc(100*time.Millisecond, func() {
		p.conn.Object(string(from), callback).Go(prompterAPI+".Callback.PromptReady", dbus.FlagNoReplyExpected, nil,
			reply, map[string]dbus.Variant{}, "")
	})
	return nil
}

// BeginPrompting is called when a prompt is to be raised.
func (p *prompter) BeginPrompting(from dbus.Sender, callback dbus.ObjectPath) *dbus.Error {
	p.raised.Add(1)
	return p.ready(from, callback, "")
}

// PerformPrompt is called to show the window.
func (p *prompter) PerformPrompt(from dbus.Sender, callback dbus.ObjectPath, _ string, _ map[string]dbus.Variant, _ string) *dbus.Error {
	return p.ready(from, callback, "no")
}

// StopPrompting is called at the end.
func (p *prompter) StopPrompting(from dbus.Sender, callback dbus.ObjectPath) *dbus.Error {
	p.conn.Object(string(from), callback).Go(prompterAPI+".Callback.PromptDone", dbus.FlagNoReplyExpected, nil)
	return nil
}
