package cli

import (
	"bytes"
	"fmt"
	"io/fs"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/tcred/tcred/emulator"
	"github.com/tcred/tcred/internal/testworld"
)

// The uids of two people who are not root. Neither is in /etc/passwd.
const alice, bob = 12345, 12346

// oddWorld has homes of several users, each with a config and a key, and binaries that all of them may run.
type oddWorld struct {
	t       *testing.T
	dir     string
	account emulator.Account
	sts     string // URL
}

// newOddWorld needs root, who can be anybody. Without TCRED_TEST_REAL=1 it skips where that is not so.
func newOddWorld(t *testing.T) *oddWorld {
	t.Helper()
	testworld.NeedReal(t, os.Geteuid() == 0, "needs root, to become another user")
	built := testworld.Binaries(t)
	w := &oddWorld{t: t, account: emulator.NewAccount(false)}
	var err error
	if w.dir, err = os.MkdirTemp("/tmp", "tcred-odd-"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(w.dir) })
	server := httptest.NewServer(emulator.New(emulator.Options{Accounts: []emulator.Account{w.account}}))
	t.Cleanup(server.Close)
	w.sts = server.URL
	w.sh(0, nil, fmt.Sprintf("chmod 755 %[1]s && mkdir -m 755 %[1]s/bin && cp %[2]s/* %[1]s/bin/ && chmod 755 %[1]s/bin/*", w.dir, built))
	return w
}

// home makes a home directory of uid's, 0700, with a config in it.
func (w *oddWorld) home(uid int) string {
	w.t.Helper()
	home := filepath.Join(w.dir, fmt.Sprint("home", uid))
	config := fmt.Sprintf("endpoint = %q\n[keystore]\nbackend = \"dir\"\ndir = %q\n", w.sts, home+"/keys")
	key := w.account.SecretID + "\n" + w.account.SecretKey.Reveal() + "\n"
	w.sh(0, []string{"CONFIG=" + config, "KEY=" + key}, fmt.Sprintf(`umask 077
mkdir -p %[1]s/.config/tcred %[1]s/keys && printf '%%s' "$CONFIG" > %[1]s/.config/tcred/config.toml
printf '%%s' "$KEY" > %[1]s/keys/tcred.key.default && chown -R %[2]d:%[2]d %[1]s`, home, uid))
	return home
}

// sh runs a script as uid in this environment alone and returns its stdout and stderr. It must succeed.
func (w *oddWorld) sh(uid int, env []string, script string) (stdout, stderr string) {
	w.t.Helper()
	stdout, stderr, err := w.try(uid, env, script)
	if err != nil {
		w.t.Fatalf("%s: %v\n%s%s", script, err, stdout, stderr)
	}
	return stdout, stderr
}

func (w *oddWorld) try(uid int, env []string, script string) (stdout, stderr string, err error) {
	cmd := exec.CommandContext(w.t.Context(), "/bin/sh", "-c", script)
	cmd.Env, cmd.Dir = append([]string{"PATH=" + w.dir + "/bin:/usr/bin:/bin"}, env...), "/"
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Credential: &syscall.Credential{Uid: uint32(uid), Gid: uint32(uid), NoSetGroups: uid == 0},
	}
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	err = cmd.Run()
	return out.String(), errs.String(), err
}

// cured runs tcred get, which must fail with an error that says so, then what its hint says, and then must succeed. The
// daemon that it started is stopped.
func (w *oddWorld) cured(uid int, env []string, says string) {
	w.t.Helper()
	before := w.owned(uid)
	stdout, stderr, err := w.try(uid, env, "tcred get")
	if err == nil || stdout != "" || !strings.Contains(stderr, says) {
		w.t.Fatalf("%v: got %q, %q, %v; want %q", env, stdout, stderr, err, says)
	}
	if made := w.owned(uid); made != before {
		w.t.Errorf("%v: it made\n%s\nwhere before was\n%s", env, made, before)
	}
	_, hint, _ := strings.Cut(stderr, "tcred: hint: ")
	_, command, asRoot := strings.Cut(strings.TrimSpace(hint), "as root: ")
	if !asRoot {
		command, _, _ = strings.Cut(strings.TrimSpace(hint), ", or ")
	}
	_, stderr = w.sh(uid, env, command+"\ntcred get >/dev/null && tcred-helper >/dev/null && tcred daemon stop")
	if !strings.Contains(stderr, "the daemon stopped") {
		w.t.Errorf("after %q: %s", command, stderr)
	}
}

// owned lists what is uid's in alice's and bob's homes, if those are not uid's own.
func (w *oddWorld) owned(uid int) string {
	var found []string
	filepath.WalkDir(w.dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		if int(info.Sys().(*syscall.Stat_t).Uid) == uid && strings.Contains(path, "/home") {
			found = append(found, path)
		}
		return nil
	})
	return strings.Join(found, "\n")
}

// alices are the variables of a session of alice's.
func alices(home string, names ...string) (env []string) {
	below := map[string]string{
		"XDG_RUNTIME_DIR": "run", "XDG_STATE_HOME": ".local/state", "XDG_CACHE_HOME": ".cache", "XDG_DATA_HOME": ".local/share",
		"XDG_CONFIG_HOME": ".config", "TCRED_SOCKET": "run/x/s", "TCRED_CACHE_DIR": ".cache/x", "HOME": "",
	}
	for _, name := range names {
		env = append(env, name+"="+filepath.Join(home, below[name]))
	}
	return env
}

// su without a dash leaves alice's variables to root, sudo -E does, and so may a service that changes its user.
func TestTheVariablesOfAnotherUserAreRefusedWithOneCure(t *testing.T) {
	w := newOddWorld(t)
	theirs, roots := w.home(alice), w.home(0)
	w.sh(alice, nil, "mkdir -p "+theirs+"/.local "+theirs+"/.cache; mkdir -m 700 "+theirs+"/run")
	for _, names := range [][]string{
		{"XDG_RUNTIME_DIR"}, {"XDG_STATE_HOME"}, {"XDG_CACHE_HOME"}, {"XDG_CONFIG_HOME"}, {"XDG_DATA_HOME"},
		{"TCRED_SOCKET"}, {"TCRED_CACHE_DIR"},
		{"XDG_RUNTIME_DIR", "XDG_STATE_HOME", "XDG_CACHE_HOME", "XDG_CONFIG_HOME"},
	} {
		w.cured(0, append(alices(theirs, names...), "HOME="+roots), "this is root, but "+names[len(names)-1]+" is ")
	}
	env := []string{"HOME=" + roots, "TCRED_CONFIG=" + theirs + "/new/config.toml"}
	if _, stderr, err := w.try(0, env, "tcred init --site cn --keystore env"); err == nil || !strings.Contains(stderr, "unset TCRED_CONFIG") {
		w.t.Errorf("init: %q, %v", stderr, err)
	}
	if _, err := os.Lstat(theirs + "/new"); err == nil {
		t.Error("init made a directory in hers")
	}
	w.sh(alice, []string{"HOME=" + theirs}, "tcred get >/dev/null && tcred daemon stop") // she is not locked out

	own := w.home(bob)
	for _, names := range [][]string{{"XDG_RUNTIME_DIR"}, {"XDG_STATE_HOME"}, {"XDG_CONFIG_HOME", "XDG_RUNTIME_DIR"}} {
		w.cured(bob, append(alices(theirs, names...), "HOME="+own), "belongs to uid 12345, not to you (uid 12346)")
	}
}

// A container job of GitHub's: root, with HOME mounted from the runner, whose user it belongs to.
func TestRootInAnothersHomeWorksWithPlacesOfItsOwn(t *testing.T) {
	w := newOddWorld(t)
	theirs, own := w.home(alice), w.home(0)
	env := []string{
		"HOME=" + theirs, "XDG_RUNTIME_DIR=" + own + "/run", "XDG_STATE_HOME=" + own, "XDG_CACHE_HOME=" + own,
		"XDG_CONFIG_HOME=" + own + "/.config", "XDG_DATA_HOME=" + own,
	}
	w.sh(0, nil, "mkdir -m 700 "+own+"/run")
	stdout, _ := w.sh(0, env, "tcred-helper && tcred get && tcred daemon stop")
	if strings.Count(stdout, `"AccessKeyId"`) != 2 {
		t.Errorf("got %q", stdout)
	}
}

func TestWithoutHomeEverythingWorksAfterOneCureAtMost(t *testing.T) {
	w := newOddWorld(t)
	home := w.home(alice)
	fallback := fmt.Sprintf("/tmp/home-%d", alice)
	t.Cleanup(func() { os.RemoveAll(fallback) })
	os.RemoveAll(fallback)
	config := "TCRED_CONFIG=" + home + "/.config/tcred/config.toml"
	w.cured(alice, []string{config}, "HOME is not set, and /etc/passwd has no home directory for uid 12345")
	w.cured(alice, []string{config, "TCRED_SOCKET=" + home + "/run/s"}, "HOME is not set") // whose daemon would end at once

	passwd := filepath.Join(w.dir, "passwd")
	line := fmt.Sprintf("alice:x:%d:%[1]d::%s:/bin/sh\n", alice, home)
	if err := os.WriteFile(passwd, []byte(line), 0o644); err != nil {
		t.Fatal(err)
	}
	script := fmt.Sprintf("mount --bind %s /etc/passwd && exec setpriv --reuid %d --regid %[2]d --clear-groups sh -c '%s'",
		passwd, alice, "tcred-helper && tcred get && tcred daemon stop")
	stdout, stderr, err := w.try(0, nil, fmt.Sprintf("unshare --mount sh -c \"%s\"", script))
	if err != nil && strings.Contains(stderr, "ermi") && os.Getenv("TCRED_TEST_REAL") != "1" {
		t.Skip("no mounts here: ", stderr)
	}
	if err != nil || strings.Count(stdout, `"AccessKeyId"`) != 2 {
		t.Errorf("with a home in /etc/passwd: %q, %q, %v", stdout, stderr, err)
	}
	if _, err := os.Stat(home + "/.local/state/tcred/daemon.log"); err != nil {
		t.Error(err)
	}
}
