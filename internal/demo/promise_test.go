package demo

import (
	"bufio"
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tcred/tcred/credential"
	"github.com/tcred/tcred/emulator"
	"github.com/tcred/tcred/internal/testworld"
)

// The promises of the README, kept with the real binaries, in the demo's world.

// newTestWorld is a world with a key in it, and with binaries of its own: a test cannot be them.
func newTestWorld(t *testing.T, o emulator.Options) *world {
	t.Helper()
	if runtime.GOOS == "windows" {
		t.Skip("there is no daemon on windows yet")
	}
	bin := testworld.Binaries(t)
	dir, err := shortTempDir()
	if err != nil {
		t.Fatal(err)
	}
	w := &world{
		dir: dir, env: environment(dir), account: emulator.NewAccount(false),
		tcred: filepath.Join(bin, "tcred"), helper: filepath.Join(bin, "tcred-helper"),
	}
	o.Accounts = []emulator.Account{w.account}
	w.sts = emulator.New(o)
	if err := w.listen(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := w.remove(); err != nil {
			t.Error(err)
		}
	})
	if _, err := w.add(t.Context()); err != nil {
		t.Fatal(err)
	}
	w.sts.Reset()
	return w
}

// output is a binary's stdout, stderr and exit status.
func (w *world) output(t *testing.T, path string, args ...string) (stdout, stderr string, status int) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), path, args...)
	cmd.Env = w.env
	var out, err bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &err
	if e := cmd.Run(); cmd.ProcessState == nil {
		t.Fatal(e)
	}
	return out.String(), err.String(), cmd.ProcessState.ExitCode()
}

func TestPromise1TwoHundredHelpersOneDaemonOneCall(t *testing.T) {
	w := newTestWorld(t, emulator.Options{})
	if _, err := w.runTcred(t.Context(), "", "daemon", "stop"); err != nil {
		t.Fatal(err)
	}
	log := filepath.Join(w.dir, "state", "tcred", "daemon.log")
	os.Remove(log)
	if _, err := w.askAtOnce(t.Context()); err != nil {
		t.Fatal(err)
	}
	if n := w.sts.Calls(""); n != 1 {
		t.Errorf("%d STS calls", n)
	}
	text, err := os.ReadFile(log)
	if err != nil {
		t.Fatal(err)
	}
	if n := bytes.Count(text, []byte("msg=listening")); n != 1 {
		t.Errorf("%d daemons listened:\n%s", n, text)
	}
}

func TestPromise1TwoDaemonsAndCallersWithoutOneCall(t *testing.T) {
	w := newTestWorld(t, emulator.Options{})
	w.sts.Fail(emulator.Fault{Delay: 300 * time.Millisecond}) // so that all are there before it answers
	second := *w
	second.env = slices.Concat(w.env, []string{"TCRED_SOCKET=" + filepath.Join(w.dir, "run2", "tcred.sock")})
	t.Cleanup(func() {
		if _, err := second.runTcred(t.Context(), "", "daemon", "stop"); err != nil && t.Context().Err() == nil {
			t.Error(err)
		}
	})
	var answers sync.Map
	var group sync.WaitGroup
	ask := func(w *world, path string, args ...string) {
		group.Go(func() {
			out, err := w.runBinary(t.Context(), "", path, args...)
			if err != nil {
				t.Error(err)
			}
			answers.Store(string(out), true)
		})
	}
	for range 5 {
		ask(w, w.helper, "fleet")
		ask(&second, second.helper, "fleet")
		ask(w, w.tcred, "get", "--no-daemon", "fleet")
	}
	group.Wait()
	if _, err := second.runTcred(t.Context(), "", "daemon", "stop"); err != nil {
		t.Error(err)
	}
	if n := w.sts.Calls(""); n != 1 {
		t.Errorf("%d STS calls", n)
	}
	distinct := 0
	answers.Range(func(_, _ any) bool { distinct++; return true })
	if distinct != 1 {
		t.Errorf("%d different answers", distinct)
	}
}

func TestPromise2ServedWhileSTSFails(t *testing.T) {
	w := newTestWorld(t, emulator.Options{})
	if _, err := w.runHelper(t.Context(), "upload"); err != nil {
		t.Fatal(err)
	}
	w.sts.Fail(emulator.Fault{Status: 503})
	if _, err := w.askRestarted(t.Context()); err != nil {
		t.Error("from memory or disk:", err)
	}
	if _, stderr, status := w.output(t, w.helper, "fleet"); status != 75 || !strings.Contains(stderr, "tcred: hint: ") {
		t.Errorf("with nothing cached: exit %d, %q", status, stderr)
	}
}

func TestPromise8EveryDocumentedErrorReachesThePerson(t *testing.T) {
	w := newTestWorld(t, emulator.Options{})
	codes := seedCodes(t)
	config := filepath.Join(w.dir, "config", "tcred", "config.toml")
	text, err := os.ReadFile(config)
	if err != nil {
		t.Fatal(err)
	}
	for i := range codes { // a profile each: a failure is remembered for ten seconds
		text = fmt.Appendf(text, "\n[profiles.p%d]\nname = \"p%s\"\npolicy = \"full\"\n", i, strings.Repeat("x", i))
	}
	if err := os.WriteFile(config, text, 0o600); err != nil {
		t.Fatal(err)
	}
	for i, code := range codes {
		t.Run(code, func(t *testing.T) {
			w.sts.Fail(emulator.Fault{Action: emulator.GetFederationToken, Code: code, Message: "said by STS"})
			defer w.sts.Heal()
			stdout, stderr, status := w.output(t, w.helper, fmt.Sprintf("p%d", i))
			lines := strings.Split(strings.TrimSuffix(stderr, "\n"), "\n")
			if stdout != "" || status == 0 || len(lines) != 2 {
				t.Fatalf("exit %d, stdout %q, stderr %q", status, stdout, stderr)
			}
			if !strings.HasPrefix(lines[0], "tcred: error: ") || !strings.Contains(lines[0], "("+code+", request ") {
				t.Errorf("no code or request id: %s", lines[0])
			}
			if !strings.HasPrefix(lines[1], "tcred: hint: ") {
				t.Errorf("no cure: %s", lines[1])
			}
		})
	}
}

// seedCodes are the error codes of the two STS pages.
func seedCodes(t *testing.T) []string {
	t.Helper()
	file, err := os.Open("../sts/testdata/seed-codes.txt")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	var codes []string
	for lines := bufio.NewScanner(file); lines.Scan(); {
		if line := strings.TrimSpace(lines.Text()); line != "" && !strings.HasPrefix(line, "#") {
			codes = append(codes, strings.Fields(line)[0])
		}
	}
	slices.Sort(codes)
	return slices.Compact(codes)
}

func TestALongestTokenPassesThroughEveryFormat(t *testing.T) {
	w := newTestWorld(t, emulator.Options{TokenSize: emulator.MaxToken})
	answer, err := w.runHelper(t.Context(), "--format", string(credential.COS), "upload")
	if err != nil {
		t.Fatal(err)
	}
	c, err := credential.DecodeCOS(answer)
	if err != nil {
		t.Fatal(err)
	}
	if n := len(c.Token.Reveal()); n != emulator.MaxToken {
		t.Fatalf("the token has %d bytes", n)
	}
	for _, f := range credential.Formats {
		got, err := w.runHelper(t.Context(), "--format", string(f), "upload")
		if err != nil {
			t.Fatal(err)
		}
		want, err := c.Encode(f)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(got, want) {
			t.Errorf("%s: %d bytes, not the %d of the credential", f, len(got), len(want))
		}
	}
	out, err := w.runTcred(t.Context(), "", "exec", "upload", "--", "sh", "-c", `printf %s "$TENCENTCLOUD_TOKEN"`)
	if err != nil || string(out) != c.Token.Reveal() {
		t.Errorf("exec: %v, %d bytes of token", err, len(out))
	}
}

func TestPromise6NoKeyLiesAnywhere(t *testing.T) {
	w := newTestWorld(t, emulator.Options{})
	var said bytes.Buffer
	var temporary []credential.Secret
	for _, args := range [][]string{
		{"get", "upload", "--format", "cos"}, {"get", "fleet", "--format", "cos", "--no-daemon"}, {"refresh", "upload"},
		{"get", "upload", "--format", "cos", "--debug"}, {"whoami", "upload"}, {"status", "--json"}, {"list", "--json"},
		{"check"}, {"logs"}, {"whoami", "--key", "default"}, {"exec", "upload", "--", "true"}, {"get", "nobody"},
		{"get", "upload", "--format", "nonsense"},
	} {
		stdout, stderr, _ := w.output(t, w.tcred, args...)
		said.WriteString(stderr)
		if slices.Contains(args, "cos") {
			c, err := credential.DecodeCOS([]byte(stdout))
			if err != nil {
				t.Fatalf("%v: %v: %s", args, err, stderr)
			}
			temporary = append(temporary, c.SecretKey, c.Token)
		} else {
			said.WriteString(stdout)
		}
	}
	w.sts.Fail(emulator.Fault{Body: emulator.Garble})
	_, stderr, _ := w.output(t, w.tcred, "refresh", "upload")
	said.WriteString(stderr)

	for i, secret := range append(temporary, w.account.SecretKey) {
		inFiles, files, err := searchFiles(w.dir, secret)
		if err != nil {
			t.Fatal(err)
		}
		inProcesses, _ := searchProcesses(secret)
		hits := append(inFiles, inProcesses...)
		if len(hits) > 0 || holds(said.Bytes(), formsOf(secret)) {
			t.Errorf("secret %d lies in %v, or was printed", i, hits)
		}
		if files < 8 {
			t.Errorf("only %d files were searched", files)
		}
	}
}
