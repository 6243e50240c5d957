package keystore

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/tcred/tcred/api"
	"github.com/tcred/tcred/internal/testworld"
	"github.com/tcred/tcred/internal/testworld/keyring"
)

func TestOnlyTheAddressOfOneUnixSocketIsABus(t *testing.T) {
	for address, want := range map[string]string{
		"unix:path=/run/bus":                            "/run/bus",
		"unix:path=/run/bus,guid=0123":                  "/run/bus",
		"unix:guid=0123,path=/run/a%20bus":              "/run/a bus",
		"unix:path=/run/bus;unix:path=/run/other":       "",
		"unix:path=/run/bus;":                           "",
		"unix:path=/run/bus,path=/run/other":            "",
		"unix:path=/run/bus,abstract=/run/bus":          "",
		"unix:path=run/bus":                             "",
		"unix:path=/run/%zz":                            "",
		"unix:path=":                                    "",
		"unix:":                                         "",
		"unix:abstract=/tmp/dbus-0":                     "",
		"unix:tmpdir=/tmp":                              "",
		"unix:runtime=yes":                              "",
		"unixexec:path=/bin/sh,argv1=-c":                "",
		"tcp:host=127.0.0.1,port=1":                     "",
		"nonce-tcp:host=::1,port=1,noncefile=/run/file": "",
		"/run/bus":                                      "",
		"UNIX:path=/run/bus":                            "",
	} {
		if got, err := busPath(address); got != want && err == nil || (err == nil) != (want != "") {
			t.Errorf("%s: %q, %v", address, got, err)
		}
	}
}

func TestABusThatCannotBeCheckedIsRefusedWithACure(t *testing.T) {
	s, _ := newRealKeychain(t, false)
	t.Setenv("XDG_RUNTIME_DIR", t.TempDir())
	addresses := map[string]string{
		"tcp:host=127.0.0.1,port=1": "it names no unix socket", "unix:abstract=/tmp/x": "something other than a path",
		"unix:path=/a;unix:path=/b": "several addresses",
	}
	for address, reason := range addresses {
		t.Setenv(busVariable, address)
		_, err := s.Get(t.Context(), "work")
		wantCode(t, err, api.KeystoreAbsent)
		if e := api.AsError(err); !strings.Contains(e.Message, reason) || !strings.Contains(e.Hint, busVariable) ||
			!strings.Contains(e.Hint, "unix:path=") || !strings.Contains(e.Hint, fileCure) {
			t.Errorf("%s: %s; %s", address, e.Message, e.Hint)
		}
	}
}

// The socket that was checked is the one that is dialled, whoever takes its path in between.
func TestABusThatTakesTheCheckedOnesPathIsNeverReached(t *testing.T) {
	path := filepath.Join(testworld.ShortDir(t), "bus")
	first := listenBus(t, path)
	t.Setenv(busVariable, "unix:path="+path)
	must(t, pinBus())
	must(t, os.Remove(path))
	listenBus(t, path)
	for range 2 { // pinBus dials too
		conn, err := net.Dial("unix", strings.TrimPrefix(os.Getenv(busVariable), "unix:path="))
		must(t, err)
		conn.Close()
		_, err = first.Accept()
		must(t, err)
	}
	first.Close()
	if _, err := net.Dial("unix", strings.TrimPrefix(os.Getenv(busVariable), "unix:path=")); err == nil {
		t.Error("dialled, though the bus that was checked is gone")
	}
}

func listenBus(t *testing.T, path string) net.Listener {
	t.Helper()
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
	must(t, err)
	l.SetUnlinkOnClose(false)
	must(t, l.SetDeadline(time.Now().Add(time.Minute)))
	t.Cleanup(func() { l.Close() })
	return l
}

func TestRealKeychainIsFoundInTheRuntimeDirectory(t *testing.T) {
	bus := newKeyring(t)
	s, _ := newRealKeychain(t, false)
	t.Setenv("XDG_RUNTIME_DIR", filepath.Dir(strings.TrimPrefix(bus.Address, "unix:path=")))
	for _, address := range []string{"", "autolaunch:"} {
		t.Setenv(busVariable, address)
		mustPut(t, s, "work")
	}
}

// stranger is the uid of nobody.
const stranger = 65534

// strangersKeyring is the session of another user, with an unlocked keyring, whose bus admits everybody.
func strangersKeyring(t *testing.T) *keyring.Session {
	t.Helper()
	testworld.NeedPrograms(t, keyring.Programs...)
	testworld.NeedReal(t, os.Geteuid() == 0, "needs root, to be another user")
	s, err := keyring.StartOf(stranger, func(cmd *exec.Cmd) {
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: stranger, Gid: stranger}}
	})
	must(t, err)
	t.Cleanup(s.Close)
	must(t, s.StartKeyring())
	return s
}

func TestRealStrangersBusIsToldNothing(t *testing.T) {
	theirs := strangersKeyring(t)
	path := strings.TrimPrefix(theirs.Address, "unix:path=")
	own := newKeyring(t)
	s, _ := newRealKeychain(t, true)
	t.Setenv("XDG_RUNTIME_DIR", filepath.Dir(strings.TrimPrefix(own.Address, "unix:path=")))
	link := filepath.Join(testworld.ShortDir(t), "bus")
	must(t, os.Symlink(path, link))
	for _, address := range []string{theirs.Address, theirs.Address + ",guid=00", "unix:path=" + link} {
		t.Setenv(busVariable, address)
		err := s.Put(t.Context(), "work", testKey)
		wantCode(t, err, api.KeystoreAbsent)
		if !strings.Contains(err.Error(), fmt.Sprintf("another user's (uid %d)", stranger)) {
			t.Error(err)
		}
		wantCode(t, s.Probe(t.Context()), api.KeystoreAbsent)
		wantCode(t, s.Unlock(t.Context(), ""), api.KeystoreAbsent)
		followBusCure(t, err)
		if _, err := s.Get(t.Context(), "work"); api.CodeOf(err) != api.NoKey {
			t.Fatalf("the cure was followed, but %v", err)
		}
	}
	mustPut(t, s, "work")
}

// followBusCure sets the variable as the hint of err says.
func followBusCure(t *testing.T, err error) {
	t.Helper()
	hint := api.AsError(err).Hint
	assignment, found := strings.CutPrefix(hint, "export "+busVariable+"=")
	address, _, _ := strings.Cut(assignment, ", then")
	if !found {
		t.Fatalf("hint %q", hint)
	}
	t.Setenv(busVariable, address)
}

func TestRealStrangersBusInTheRuntimeDirectoryIsToldNothing(t *testing.T) {
	theirs := strangersKeyring(t)
	s, _ := newRealKeychain(t, false)
	t.Setenv("XDG_RUNTIME_DIR", filepath.Dir(strings.TrimPrefix(theirs.Address, "unix:path=")))
	t.Setenv(busVariable, "")
	err := s.Put(t.Context(), "work", testKey)
	wantCode(t, err, api.KeystoreAbsent)
	if !strings.Contains(err.Error(), "another user's") || !strings.Contains(api.AsError(err).Hint, "su -") {
		t.Error(err, api.AsError(err).Hint)
	}
}
