// Package keyring gives tests a private D-Bus session bus with a real gnome-keyring on it. Tests can stop either one,
// lock the keyring, or keep either from answering. It needs dbus-daemon and gnome-keyring-daemon, and no desktop.
package keyring

import (
	"bufio"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/godbus/dbus/v5"
)

// Programs are what a session runs.
var Programs = []string{"dbus-daemon", "gnome-keyring-daemon"}

// Password opens the login collection.
const Password = "pw"

// The Secret Service's names; see package keystore.
const (
	secretsName = "org.freedesktop.secrets"
	secretsPath = dbus.ObjectPath("/org/freedesktop/secrets")
	loginPath   = secretsPath + "/collection/login"
	serviceAPI  = "org.freedesktop.Secret.Service."
)

// Session is a desktop session of its own: a home directory, a bus, a person who answers password windows, and a
// keyring once it is started.
type Session struct {
	Address string // for DBUS_SESSION_BUS_ADDRESS; the bus comes back at the same one
	Person  Person

	home         string
	as           func(*exec.Cmd) // makes a program another user's
	bus, keyring *exec.Cmd
	conn         *dbus.Conn
	deaf         func()
}

// Start makes a session with a bus that offers nothing yet. Close ends it.
func Start() (*Session, error) { return start(func(string) error { return nil }, func(*exec.Cmd) {}) }

// StartOf is Start for a session of another user, whose bus admits everybody. Only root can make one; as lets a program
// run as uid.
func StartOf(uid int, as func(*exec.Cmd)) (*Session, error) {
	give := func(home string) error {
		err := os.Chmod(home, 0o755)
		return errors.Join(err, filepath.WalkDir(home, func(path string, _ fs.DirEntry, err error) error {
			return errors.Join(err, os.Chown(path, uid, uid))
		}))
	}
	return start(give, as)
}

// start makes a session whose home is given away before anything runs.
func start(give func(home string) error, as func(*exec.Cmd)) (*Session, error) {
	home, err := os.MkdirTemp("/tmp", "tcred") // where TMPDIR leads may be too long for a socket
	if err != nil {
		return nil, err
	}
	s := &Session{Address: "unix:path=" + filepath.Join(home, "bus"), home: home, as: as}
	if err = s.makeHome(); err == nil {
		err = give(home)
	}
	if err == nil {
		err = s.StartBus()
	}
	if err != nil {
		s.Close()
		return nil, err
	}
	return s, nil
}

// makeHome fills the home directory: what the programs expect, and the bus's configuration.
func (s *Session) makeHome() error {
	config := fmt.Sprintf(busConfig, s.Address, filepath.Join(s.home, "services"))
	err := os.WriteFile(filepath.Join(s.home, "bus.conf"), []byte(config), 0o600)
	for _, dir := range []string{"run", "data", "config", "cache", "services"} {
		err = errors.Join(err, os.Mkdir(filepath.Join(s.home, dir), 0o700))
	}
	return err
}

const busConfig = `<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <type>session</type><listen>%s</listen><servicedir>%s</servicedir>
  <policy context="default">
    <allow send_destination="*" eavesdrop="true"/><allow eavesdrop="true"/><allow own="*"/><allow user="*"/>
  </policy>
</busconfig>`

// Close ends everything and removes the home directory.
func (s *Session) Close() {
	s.StopBus()
	os.RemoveAll(s.home)
}

// StartBus brings a bus to Address, with the person on it.
func (s *Session) StartBus() error {
	s.StopBus()
	s.bus = s.command("dbus-daemon", "--nofork", "--nopidfile", "--print-address",
		"--config-file="+filepath.Join(s.home, "bus.conf"))
	out, err := s.bus.StdoutPipe()
	if err != nil {
		return err
	}
	if err := s.bus.Start(); err != nil {
		return err
	}
	if _, err := bufio.NewReader(out).ReadString('\n'); err != nil {
		return fmt.Errorf("dbus-daemon did not start: %w", err)
	}
	if s.conn, err = dbus.Connect(s.Address); err != nil {
		return err
	}
	return s.Person.serve(s.conn)
}

// StopBus kills the bus, and the keyring on it. Its socket stays behind, as after a crash.
func (s *Session) StopBus() {
	if s.conn != nil {
		s.conn.Close()
		s.conn = nil
	}
	if s.deaf != nil {
		s.deaf()
		s.deaf = nil
	}
	kill(s.keyring)
	kill(s.bus)
}

// DeafenBus puts a socket in the place of the bus that accepts and never answers.
func (s *Session) DeafenBus() error {
	s.StopBus()
	path := strings.TrimPrefix(s.Address, "unix:path=")
	err := os.Remove(path)
	if err == nil {
		s.deaf, err = Deaf(path)
	}
	return err
}

// Deaf listens at path, a unix socket's, and never answers.
func Deaf(path string) (stop func(), err error) {
	l, err := net.Listen("unix", path)
	if err != nil {
		return nil, err
	}
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			defer conn.Close() // when it stops: until then the caller waits
		}
	}()
	return func() { l.Close() }, nil
}

// StartKeyring runs a keyring with an unlocked login collection, as a desktop login does.
func (s *Session) StartKeyring() error {
	s.keyring = s.command("gnome-keyring-daemon", "--foreground", "--unlock", "--components=secrets")
	s.keyring.Stdin = strings.NewReader(Password)
	if err := s.keyring.Start(); err != nil {
		return err
	}
	return s.waitFor(true)
}

// StopKeyring kills it. Then no program offers a keychain, though the bus is well.
func (s *Session) StopKeyring() error {
	kill(s.keyring)
	return s.waitFor(false)
}

// FreezeKeyring lets it keep its name and answer nobody, until ThawKeyring.
func (s *Session) FreezeKeyring() error { return s.signal("-STOP") }

// ThawKeyring lets it go on.
func (s *Session) ThawKeyring() error { return s.signal("-CONT") }

// signal goes by way of a shell, which has a kill of its own: package syscall knows these signals on unix only.
func (s *Session) signal(which string) error {
	return exec.Command("sh", "-c", fmt.Sprintf("kill %s %d", which, s.keyring.Process.Pid)).Run()
}

// waitFor returns once a program offers a keychain, or once none does.
func (s *Session) waitFor(offered bool) error {
	for range 500 {
		var owned bool
		err := s.conn.BusObject().Call("org.freedesktop.DBus.NameHasOwner", 0, secretsName).Store(&owned)
		if err != nil || owned == offered {
			return err
		}
		time.Sleep(10 * time.Millisecond)
	}
	return errors.New("gnome-keyring-daemon did not take its name, or kept it")
}

// OfferKeyring lets the bus start a keyring that nobody has logged in to.
func (s *Session) OfferKeyring() error {
	path, err := exec.LookPath("gnome-keyring-daemon")
	if err != nil {
		return err
	}
	service := "[D-BUS Service]\nName=" + secretsName +
		"\nExec=" + path + " --foreground --start --components=secrets\n"
	file := filepath.Join(s.home, "services", secretsName+".service")
	if err := os.WriteFile(file, []byte(service), 0o600); err != nil {
		return err
	}
	return s.conn.BusObject().Call("org.freedesktop.DBus.ReloadConfig", 0).Err
}

// Lock locks the login collection.
func (s *Session) Lock() error {
	return s.conn.Object(secretsName, secretsPath).Call(serviceAPI+"Lock", 0, []dbus.ObjectPath{loginPath}).Err
}

// Unlock gives the password by the call that GNOME keeps for its own login manager.
func (s *Session) Unlock() error {
	service := s.conn.Object(secretsName, secretsPath)
	var ignored dbus.Variant
	var path dbus.ObjectPath
	if err := service.Call(serviceAPI+"OpenSession", 0, "plain", dbus.MakeVariant("")).Store(&ignored, &path); err != nil {
		return err
	}
	password := struct {
		Session           dbus.ObjectPath
		Parameters, Value []byte
		ContentType       string
	}{path, nil, []byte(Password), "text/plain"}
	const method = "org.gnome.keyring.InternalUnsupportedGuiltRiddenInterface.UnlockWithMasterPassword"
	return service.Call(method, 0, loginPath, password).Err
}

// command is a part of the session, in the session's own environment.
func (s *Session) command(name string, args ...string) *exec.Cmd {
	cmd := exec.Command(name, args...)
	cmd.Env = []string{
		"HOME=" + s.home, "PATH=" + os.Getenv("PATH"), "LANG=C", "DBUS_SESSION_BUS_ADDRESS=" + s.Address,
	}
	for variable, dir := range map[string]string{
		"XDG_RUNTIME_DIR": "run", "XDG_DATA_HOME": "data", "XDG_CONFIG_HOME": "config", "XDG_CACHE_HOME": "cache",
	} {
		cmd.Env = append(cmd.Env, variable+"="+filepath.Join(s.home, dir))
	}
	s.as(cmd)
	return cmd
}

// kill ends what was started, if it was.
func kill(cmd *exec.Cmd) {
	if cmd != nil && cmd.Process != nil {
		cmd.Process.Kill()
		cmd.Wait()
	}
}
