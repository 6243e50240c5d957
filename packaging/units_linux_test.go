package packaging

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/tcred/tcred/internal/testworld"
)

// build is the directory of the two binaries. They are not measured for coverage: most run in a machine whose files are
// gone with it.
func build(t *testing.T, flags ...string) (dir string) {
	t.Helper()
	return testworld.BuildUnmeasured(t, append(flags, testworld.Programs...)...)
}

// maxExposure is what systemd-analyze says of the service; README.md has the reasons it is no less.
const maxExposure = 5.5

// writeUnits puts the units into a directory, for a binary.
func writeUnits(t *testing.T, binary string) (dir string) {
	t.Helper()
	dir = t.TempDir()
	for name, text := range map[string]string{
		SystemdSocketName: SystemdSocket(), SystemdServiceName: SystemdService(binary),
		SystemdServiceName + ".d/x.conf": SystemdServiceDropIn(odd, false),
		SystemdSocketName + ".d/x.conf":  SystemdSocketDropIn("/srv/100%/zhang san/tcred.sock"),
	} {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestSystemdFindsNothingToSayOfTheUnits(t *testing.T) {
	testworld.NeedPrograms(t, "systemd-analyze")
	bin := filepath.Join(t.TempDir(), "a b$c%d;e")
	if err := os.Mkdir(bin, 0o755); err != nil {
		t.Fatal(err)
	}
	binary := filepath.Join(bin, "tcred")
	if err := os.WriteFile(binary, []byte("#!/bin/sh\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	dir := writeUnits(t, binary)
	cmd := exec.Command("systemd-analyze", "verify", "--user", filepath.Join(dir, SystemdServiceName), filepath.Join(dir, SystemdSocketName))
	cmd.Env = append(os.Environ(), "XDG_RUNTIME_DIR="+t.TempDir())
	if out, err := cmd.CombinedOutput(); err != nil || len(out) > 0 {
		t.Errorf("%v\n%s", err, out)
	}
}

func TestTheServiceIsNoMoreExposedThanTheDocsSay(t *testing.T) {
	testworld.NeedPrograms(t, "systemd-analyze")
	cmd := exec.Command("systemd-analyze", "security", "--offline=true", "--user", "--no-pager",
		fmt.Sprintf("--threshold=%d", int(maxExposure*10)), filepath.Join(writeUnits(t, "/bin/true"), SystemdServiceName))
	cmd.Env = append(os.Environ(), "XDG_RUNTIME_DIR="+t.TempDir())
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Errorf("%v\n%s", err, out)
	}
	docs, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	score := fmt.Sprintf("%.1f", maxExposure)
	if !strings.Contains(string(out), " "+score+" ") || !strings.Contains(string(docs), score) {
		t.Errorf("the docs or this test name another score than %s", lastLine(string(out)))
	}
}

func lastLine(text string) string {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	return lines[len(lines)-1]
}

// TestASocketOfSystemdsIsServed has the daemon started by systemd's own small activator, without a systemd.
func TestASocketOfSystemdsIsServed(t *testing.T) {
	testworld.NeedPrograms(t, "systemd-socket-activate")
	bin := build(t)
	dir, err := os.MkdirTemp("/tmp", "tcred")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	socket := filepath.Join(dir, "tcred.sock")
	env := []string{"HOME=" + dir, "XDG_RUNTIME_DIR=" + dir, "TCRED_SOCKET=" + socket, "PATH=/usr/bin:/bin"}
	var args []string
	for _, kv := range env {
		args = append(args, "-E", kv)
	}
	daemon := exec.Command("systemd-socket-activate", append(args, "-l", socket, filepath.Join(bin, "tcred"), "daemon", "--service")...)
	if err := daemon.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { daemon.Process.Kill(); daemon.Wait() }()
	var out []byte
	for range 100 {
		status := exec.Command(filepath.Join(bin, "tcred"), "status", "--json")
		status.Env = env
		if out, err = status.CombinedOutput(); err == nil {
			break
		}
		time.Sleep(50 * time.Millisecond)
	}
	var status struct {
		PID    int
		Socket string
	}
	if err != nil || json.Unmarshal(out, &status) != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if status.PID != daemon.Process.Pid || status.Socket != socket { // the activator becomes the daemon
		t.Errorf("got %+v, want process %d on %s", status, daemon.Process.Pid, socket)
	}
}
