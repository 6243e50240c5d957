package packaging

import (
	"bytes"
	"encoding/xml"
	"errors"
	"flag"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/tcred/tcred/internal/testworld"
)

var update = flag.Bool("update", false, "write the golden files anew")

func TestMain(m *testing.M) { os.Exit(testworld.Run(m)) }

// golden compares text with testdata/name.
func golden(t *testing.T, name, text string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if text != string(want) {
		t.Errorf("%s: got\n%s\nwant\n%s\n(go test -update writes it anew)", name, text, want)
	}
}

var odd = []Setting{
	{"TCRED_CONFIG", `/home/zhang san/100%/"tcred"\config.toml`},
	{"XDG_STATE_HOME", "/srv/state"},
}

func TestTheUnitRunsTheBinaryThatInstalledIt(t *testing.T) {
	golden(t, "tcred.service", SystemdService("/home/zhang san/$GOBIN/100%/tcred"))
	if SystemdService("/usr/bin/tcred") != systemdService {
		t.Error("a package's binary makes another unit than a package's")
	}
}

func TestWhatAMachineAddsIsADropIn(t *testing.T) {
	golden(t, "service.conf", SystemdServiceDropIn(odd, true))
	golden(t, "socket.conf", SystemdSocketDropIn("/srv/100%/zhang san/tcred.sock"))
	if text := SystemdServiceDropIn(nil, false); text != "" {
		t.Errorf("nothing makes %q", text)
	}
}

func TestTheAgentHasItsPlacesWrittenIn(t *testing.T) {
	text, err := LaunchdAgent(Agent{Binary: "/Applications/R&D/tcred", Log: "/Users/<li>/daemon.log", Env: odd})
	if err != nil {
		t.Fatal(err)
	}
	golden(t, LaunchdLabel+".plist", text)
	if err := wellFormed(text); err != nil {
		t.Error(err)
	}
	for _, raw := range []string{"R&D", "<li>"} {
		if strings.Contains(text, raw) {
			t.Errorf("%q stands there unescaped", raw)
		}
	}
}

func TestPropertyListToolsReadTheAgent(t *testing.T) {
	check := []string{"plistutil", "-f", "bin", "-i"}
	if runtime.GOOS == "darwin" {
		check = []string{"plutil", "-lint"}
	}
	testworld.NeedPrograms(t, check[0])
	path := filepath.Join("testdata", LaunchdLabel+".plist")
	if out, err := exec.Command(check[0], append(check[1:], path)...).CombinedOutput(); err != nil || len(out) == 0 {
		t.Errorf("%v\n%s", err, out)
	}
}

func wellFormed(text string) error {
	for d := xml.NewDecoder(strings.NewReader(text)); ; {
		if _, err := d.Token(); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return err
		}
	}
}

// settings reads a unit: sections, and in them keys with their values in order.
func settings(t *testing.T, unit string) map[string]map[string][]string {
	t.Helper()
	all, section := make(map[string]map[string][]string), ""
	for n, line := range strings.Split(unit, "\n") {
		switch line = strings.TrimSpace(line); {
		case line == "" || line[0] == '#':
		case line[0] == '[' && line[len(line)-1] == ']':
			section = line[1 : len(line)-1]
			all[section] = make(map[string][]string)
		default:
			key, value, ok := strings.Cut(line, "=")
			if !ok || section == "" || strings.TrimSpace(key) != key {
				t.Fatalf("line %d: %q", n+1, line)
			}
			all[section][key] = append(all[section][key], value)
		}
	}
	return all
}

func TestTheUnitsKeepTheirPromises(t *testing.T) {
	socket, service := settings(t, SystemdSocket()), settings(t, SystemdService("/usr/bin/tcred"))
	for _, want := range []struct {
		unit                map[string]map[string][]string
		section, key, value string
	}{
		{socket, "Socket", "ListenStream", "%t/tcred/tcred.sock"},
		{socket, "Socket", "SocketMode", "0600"},
		{socket, "Socket", "DirectoryMode", "0700"},
		{socket, "Install", "WantedBy", "sockets.target"},
		{service, "Unit", "Requires", SystemdSocketName},
		{service, "Unit", "After", SystemdSocketName},
		{service, "Service", "Type", "notify"},
		{service, "Service", "Restart", "on-failure"},
		{service, "Service", "LimitCORE", "0"},
		{service, "Service", "NoNewPrivileges", "yes"},
	} {
		if got := want.unit[want.section][want.key]; len(got) != 1 || got[0] != want.value {
			t.Errorf("[%s] %s is %q, want %q", want.section, want.key, got, want.value)
		}
	}
	if got := service["Service"]["WatchdogSec"]; len(got) != 1 {
		t.Errorf("WatchdogSec is %q", got)
	}
	// Each makes the user's systemd drop capabilities that it does not have: the unit would not start (README.md).
	for _, key := range []string{
		"CapabilityBoundingSet", "AmbientCapabilities", "PrivateDevices", "ProtectClock", "ProtectKernelLogs", "ProtectKernelModules", "PrivateUsers", "User",
	} {
		if got, ok := service["Service"][key]; ok {
			t.Errorf("%s=%s stops the service from starting for some users", key, got)
		}
	}
}

func TestUnitsAreTextOfOneKind(t *testing.T) {
	for name, text := range map[string]string{"socket": systemdSocket, "service": systemdService, "agent": launchdAgent} {
		if !bytes.HasSuffix([]byte(text), []byte("\n")) || strings.ContainsAny(text, "\r") {
			t.Errorf("%s: no last newline, or carriage returns", name)
		}
	}
}
