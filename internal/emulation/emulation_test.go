package emulation

import (
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tcred/tcred/emulator"
)

func TestShellReadsTheLinesOfTheEmulator(t *testing.T) {
	if _, err := exec.LookPath("sh"); err != nil {
		t.Skip("needs sh")
	}
	lines := shellLines{{"A", "http://[::1]:8085"}, {"B", `it's a "path"; $HOME`}, {"C", ""}}
	want := "A=http://[::1]:8085\nB='it'\\''s a \"path\"; $HOME'\nC=\n"
	if got := string(lines.text()); got != want {
		t.Errorf("got %s", got)
	}
	sh := exec.Command("sh", "-c", string(lines.text())+`printf %s "$B"`)
	if out, err := sh.CombinedOutput(); err != nil || string(out) != lines[1][1] {
		t.Errorf("the shell reads %s, %v", out, err)
	}
}

func TestURLOfAnEmulatorOnAllAddressesCanBeAsked(t *testing.T) {
	for at, want := range map[string]string{
		"0.0.0.0:8085": "127.0.0.1:8085", "[::]:8085": "127.0.0.1:8085", "[::1]:8085": "[::1]:8085",
		"127.0.0.1:1": "127.0.0.1:1", "192.0.2.7:8085": "192.0.2.7:8085",
	} {
		address, err := net.ResolveTCPAddr("tcp", at)
		if err != nil {
			t.Fatal(err)
		}
		if got := reachable(address); got != want {
			t.Errorf("%s: got %s, want %s", at, got, want)
		}
	}
}

func TestAccountsFileIsReadWhole(t *testing.T) {
	path := filepath.Join(t.TempDir(), "accounts.json")
	read := func(text string) ([]emulator.Account, error) {
		t.Helper()
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return readAccounts(path)
	}
	got, err := read(`[{"secret_id":"AKID1","secret_key":"one","account_id":"100000000001","uin":"100000000002",
		"app_id":"1250000000"}, {"root":true,"account_id":"100000000001"}, {"root":true,"uin":"100000000003"}, {}]`)
	if err != nil || len(got) != 4 {
		t.Fatalf("%d accounts, %v", len(got), err)
	}
	want := emulator.Account{
		SecretID: "AKID1", SecretKey: "one", AccountID: "100000000001", UIN: "100000000002", AppID: "1250000000",
	}
	if got[0] != want {
		t.Errorf("got %+v, want %+v", got[0], want)
	}
	for i, root := range []bool{false, true, true, false} {
		if a := got[i]; a.Root() != root || a.SecretID == "" || a.SecretKey == "" || a.AccountID == "" {
			t.Errorf("account %d: %+v", i+1, a)
		}
	}
	if got[1].UIN != "100000000001" || got[2].AccountID != "100000000003" {
		t.Errorf("the root accounts are %s and %s", got[1].UIN, got[2].AccountID)
	}
	again, err := read(accountsJSON(got))
	if err != nil || len(again) != 4 || again[0] != got[0] || again[3] != got[3] {
		t.Errorf("what is printed is read as %+v, %v", again, err)
	}
	hint, _, _ := strings.Cut(strings.TrimPrefix(accountsHint, "like "), "; ")
	if got, err := read(hint); err != nil || len(got) != 2 {
		t.Errorf("the hint's own file: %d accounts, %v", len(got), err)
	}
	for name, bad := range map[string]string{
		"nothing":                       ``,
		"no list":                       `{}`,
		"an empty list":                 `[]`,
		"null":                          `null`,
		"more after it":                 `[{}] [{}]`,
		"an unknown field":              `[{"secretid":"AKID1"}]`,
		"half a key":                    `[{"secret_id":"AKID1"}]`,
		"a key twice":                   `[{"secret_id":"AKID1","secret_key":"one"},{"secret_id":"AKID1","secret_key":"two"}]`,
		"a root account of another uin": `[{"root":true,"account_id":"1","uin":"2"}]`,
		"a sub-account that is root":    `[{"account_id":"1","uin":"1"}]`,
	} {
		if _, err := read(bad); err == nil {
			t.Errorf("%s is taken", name)
		}
	}
}
