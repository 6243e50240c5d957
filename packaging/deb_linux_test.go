package packaging

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/tcred/tcred/internal/testworld"
)

// buildDeb makes the Debian package of a version.
func buildDeb(t *testing.T, version string) (path string) {
	t.Helper()
	out := t.TempDir()
	cmd := exec.Command("go", "run", "make.go", "--out", out, "--version", version, "--only", "linux-"+runtime.GOARCH)
	cmd.Env = append(os.Environ(), "SOURCE_DATE_EPOCH=1790000000")
	if text, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	return filepath.Join(out, fmt.Sprintf("tcred_%s_%s.deb", version, runtime.GOARCH))
}

// root is asRoot for what has to succeed.
func (m *machine) root(script string) string {
	m.t.Helper()
	out, err := m.asRoot(script)
	if err != nil {
		m.t.Fatal(err)
	}
	return out
}

// TestTheLifeOfADebianPackage installs, upgrades and removes it under a user's feet.
func TestTheLifeOfADebianPackage(t *testing.T) {
	testworld.NeedPrograms(t, "dpkg")
	m := boot(t)
	m.copyIn(buildDeb(t, "1.2.3"), "/old.deb")
	m.copyIn(buildDeb(t, "1.2.4"), "/new.deb")
	m.root("touch /before; sleep 0.01; dpkg --path-include='/usr/share/*' --install /old.deb")
	m.settle()

	if said := m.must("tcred service install"); strings.Contains(said, "wrote") || !strings.Contains(said, "enable --now tcred.socket") {
		t.Errorf("with a package's units install said\n%s", said)
	}
	m.call()
	old := m.mainPID()
	if old == "0" || !strings.Contains(m.journal(), "pid="+old) {
		t.Errorf("the daemon is process %s, the journal\n%s", old, m.journal())
	}
	if text := m.must("man -P cat tcred-exec") + m.must("man -P cat 5 tcred-config"); !strings.Contains(text, "TCRED-EXEC(1)") {
		t.Errorf("the man page is %q", text)
	}

	m.root("dpkg --path-include='/usr/share/*' --install /new.deb")
	m.call()
	if now := m.mainPID(); now != old {
		t.Errorf("the upgrade replaced process %s by %s", old, now)
	}
	if out := m.must("tcred-helper --version; tcred status 2>&1"); !strings.Contains(out, "tcred-helper 1.2.4\n") || !strings.Contains(out, "the daemon is version 1.2.3, this is 1.2.4") {
		t.Errorf("after the upgrade:\n%s", out)
	}
	m.must("tcred service restart")
	if out := m.must("tcred status 2>&1"); !strings.Contains(out, "version 1.2.4, pid "+m.mainPID()) || strings.Contains(out, "1.2.3") {
		t.Errorf("after the restart:\n%s", out)
	}

	// A removal ends what the user forgot to.
	m.root("dpkg --remove tcred")
	m.eventually("socket and daemon are gone", func() error {
		if out, err := m.asUser("pgrep -u $USER -a tcred; ls $XDG_RUNTIME_DIR/tcred/tcred.sock"); err == nil || out != "ls: cannot access '"+runtimeDir+"/tcred/tcred.sock': No such file or directory" {
			return fmt.Errorf("there is %s", out)
		}
		return nil
	})

	m.root("dpkg --install /new.deb")
	m.must("tcred service install")
	m.call()
	m.must("tcred service uninstall && tcred clear --all")
	m.root("dpkg --purge tcred; systemctl stop emulator")
	// What stays in the home, TestALifeUnderSystemd tells.
	if left := m.root("find /etc /opt /run /usr /var -xdev -cnewer /before -path '*tcred*' ! -path '/var/log/*'; find " + runtimeDir + " -path '*tcred*' ! -type d"); left != "" {
		t.Errorf("left behind:\n%s", left)
	}
}
