package cli

import (
	"bufio"
	"bytes"
	"encoding/json"
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

// The promises of the README, kept with the real binaries: the demo's stage serves as their world.

// newTestStage is a stage with a key in it, and with the binaries that TestStories uses.
func newTestStage(t *testing.T, o emulator.Options) *stage {
	t.Helper()
	if runtime.GOOS == "windows" {
		t.Skip("there is no daemon on windows yet")
	}
	bin := testworld.Binaries(t)
	dir, err := shortTempDir()
	if err != nil {
		t.Fatal(err)
	}
	s := &stage{
		app: &app{out: os.Stdout, err: os.Stderr}, dir: dir, env: demoEnv(dir), account: emulator.NewAccount(false),
		tcred: filepath.Join(bin, "tcred"), helper: filepath.Join(bin, "tcred-helper"),
	}
	o.Accounts = []emulator.Account{s.account}
	s.sts = emulator.New(o)
	if err := s.listen(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.clear(); err != nil {
			t.Error(err)
		}
	})
	if _, err := s.add(t.Context()); err != nil {
		t.Fatal(err)
	}
	s.sts.Reset()
	return s
}

// run is a child's stdout, stderr and exit status.
func (s *stage) output(t *testing.T, path string, args ...string) (stdout, stderr string, status int) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), path, args...)
	cmd.Env = s.env
	var out, err bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &err
	if e := cmd.Run(); cmd.ProcessState == nil {
		t.Fatal(e)
	}
	return out.String(), err.String(), cmd.ProcessState.ExitCode()
}

func TestPromise1TwoHundredHelpersOneDaemonOneCall(t *testing.T) {
	s := newTestStage(t, emulator.Options{})
	if _, err := s.tcredCmd(t.Context(), "", "daemon", "stop"); err != nil {
		t.Fatal(err)
	}
	log := filepath.Join(s.dir, "state", "tcred", "daemon.log")
	os.Remove(log)
	if _, err := s.askAtOnce(t.Context()); err != nil {
		t.Fatal(err)
	}
	if n := s.sts.Calls(""); n != 1 {
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
	s := newTestStage(t, emulator.Options{})
	s.sts.Fail(emulator.Fault{Delay: 300 * time.Millisecond}) // so that all are there before it answers
	second := *s
	second.env = slices.Concat(s.env, []string{"TCRED_SOCKET=" + filepath.Join(s.dir, "run2", "tcred.sock")})
	t.Cleanup(func() {
		if _, err := second.tcredCmd(t.Context(), "", "daemon", "stop"); err != nil && t.Context().Err() == nil {
			t.Error(err)
		}
	})
	var answers sync.Map
	var group sync.WaitGroup
	ask := func(s *stage, path string, args ...string) {
		group.Go(func() {
			out, err := s.child(t.Context(), "", path, args...)
			if err != nil {
				t.Error(err)
			}
			answers.Store(string(out), true)
		})
	}
	for range 5 {
		ask(s, s.helper, "fleet")
		ask(&second, second.helper, "fleet")
		ask(s, s.tcred, "get", "--no-daemon", "fleet")
	}
	group.Wait()
	if _, err := second.tcredCmd(t.Context(), "", "daemon", "stop"); err != nil {
		t.Error(err)
	}
	if n := s.sts.Calls(""); n != 1 {
		t.Errorf("%d STS calls", n)
	}
	distinct := 0
	answers.Range(func(_, _ any) bool { distinct++; return true })
	if distinct != 1 {
		t.Errorf("%d different answers", distinct)
	}
}

func TestPromise2ServedWhileSTSFails(t *testing.T) {
	s := newTestStage(t, emulator.Options{})
	if _, err := s.helperCmd(t.Context(), "upload"); err != nil {
		t.Fatal(err)
	}
	s.sts.Fail(emulator.Fault{Status: 503})
	if _, err := s.askRestarted(t.Context()); err != nil {
		t.Error("from memory or disk:", err)
	}
	if _, stderr, status := s.output(t, s.helper, "fleet"); status != 75 || !strings.Contains(stderr, "tcred: hint: ") {
		t.Errorf("with nothing cached: exit %d, %q", status, stderr)
	}
}

func TestPromise8EveryDocumentedErrorReachesThePerson(t *testing.T) {
	s := newTestStage(t, emulator.Options{})
	codes := seedCodes(t)
	config := filepath.Join(s.dir, "config", "tcred", "config.toml")
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
			s.sts.Fail(emulator.Fault{Action: emulator.GetFederationToken, Code: code, Message: "said by STS"})
			defer s.sts.Heal()
			stdout, stderr, status := s.output(t, s.helper, fmt.Sprintf("p%d", i))
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
	s := newTestStage(t, emulator.Options{TokenSize: emulator.MaxToken})
	answer, err := s.helperCmd(t.Context(), "--format", string(credential.COS), "upload")
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
		got, err := s.helperCmd(t.Context(), "--format", string(f), "upload")
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
	out, err := s.tcredCmd(t.Context(), "", "exec", "upload", "--", "sh", "-c", `printf %s "$TENCENTCLOUD_TOKEN"`)
	if err != nil || string(out) != c.Token.Reveal() {
		t.Errorf("exec: %v, %d bytes of token", err, len(out))
	}
}

func TestPromise6NoKeyLiesAnywhere(t *testing.T) {
	s := newTestStage(t, emulator.Options{})
	var said bytes.Buffer
	var temporary []credential.Secret
	for _, args := range [][]string{
		{"get", "upload", "--format", "cos"}, {"get", "fleet", "--format", "cos", "--no-daemon"}, {"refresh", "upload"}, {"get", "upload", "--format", "cos", "--debug"},
		{"whoami", "upload"}, {"status", "--json"}, {"list", "--json"}, {"check"}, {"logs"}, {"whoami", "--key", "default"},
		{"exec", "upload", "--", "true"}, {"get", "nobody"}, {"get", "upload", "--format", "nonsense"},
	} {
		stdout, stderr, _ := s.output(t, s.tcred, args...)
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
	s.sts.Fail(emulator.Fault{Body: emulator.Garble})
	_, stderr, _ := s.output(t, s.tcred, "refresh", "upload")
	said.WriteString(stderr)

	for i, secret := range append(temporary, s.account.SecretKey) {
		found, err := searchFiles(s.dir, secret)
		if err != nil {
			t.Fatal(err)
		}
		hits, _ := searchProcesses(secret)
		if hits = append(hits, found.hits...); len(hits) > 0 || holds(said.Bytes(), formsOf(secret)) {
			t.Errorf("secret %d lies in %v, or was printed", i, hits)
		}
		if found.files < 8 {
			t.Errorf("only %d files were searched", found.files)
		}
	}
}

// The search must be able to find: each form of a canary, planted where a leak would be.
func TestTheSearchFindsACanary(t *testing.T) {
	canary := credential.Secret(`Canary/+"7&` + strings.Repeat("q", 20))
	for i, form := range formsOf(canary) {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, "leak"), slices.Concat([]byte("log: "), form, []byte("\n")), 0o600); err != nil {
			t.Fatal(err)
		}
		if found, err := searchFiles(dir, canary); err != nil || len(found.hits) != 1 {
			t.Errorf("form %d was not found: %v", i, err)
		}
	}
	if _, err := os.Stat("/proc/self/environ"); err != nil {
		t.Skip("no /proc here")
	}
	for _, leak := range []*exec.Cmd{
		{Path: "/bin/sh", Args: []string{"sh", "-c", "read x", canary.Reveal()}},
		{Path: "/bin/sh", Args: []string{"sh", "-c", "read x"}, Env: []string{"LEAK=" + canary.Reveal()}},
	} {
		stdin, err := leak.StdinPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := leak.Start(); err != nil {
			t.Fatal(err)
		}
		var hits []string
		for range 100 { // the environment shows once exec is done
			if hits, _ = searchProcesses(canary); len(hits) > 0 {
				break
			}
			time.Sleep(10 * time.Millisecond)
		}
		if len(hits) == 0 {
			t.Errorf("not found: %v", leak.Args)
		}
		stdin.Close()
		leak.Wait() // it ends with its input
	}
}

func TestTheDemoTellsItsStoryAndLeavesNothing(t *testing.T) {
	bin := testworld.Binaries(t)
	home, tmp := t.TempDir(), testworld.ShortDir(t) // short enough for the demo to stay in
	cmd := exec.CommandContext(t.Context(), filepath.Join(bin, "tcred"), "demo")
	cmd.Env = append(os.Environ(), "HOME="+home, "TMPDIR="+tmp, "XDG_RUNTIME_DIR="+home)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		t.Fatalf("%v\n%s", err, stderr.String())
	}
	var answer struct{ Expiration time.Time }
	if err := json.Unmarshal(stdout.Bytes(), &answer); err != nil || time.Until(answer.Expiration) <= 0 {
		t.Errorf("stdout is no credential: %v: %s", err, stdout.String())
	}
	for _, dir := range []string{home, tmp} {
		if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
			t.Errorf("left behind: %v, %v", left, err)
		}
	}
	commands, err := filepath.Glob("/proc/[0-9]*/environ")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range commands {
		if env, err := os.ReadFile(c); err == nil && bytes.Contains(env, []byte(tmp)) {
			t.Errorf("a process is left: %s", c)
		}
	}
	for n := 1; n <= 8; n++ {
		if !strings.Contains(stderr.String(), fmt.Sprintf("\n%d. ", n)) {
			t.Errorf("step %d is missing:\n%s", n, stderr.String())
		}
	}
}
