package demo

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/tcred/tcred/api"
	"github.com/tcred/tcred/credential"
	"github.com/tcred/tcred/emulator"
	"github.com/tcred/tcred/internal/config"
	"github.com/tcred/tcred/internal/disk"
	"github.com/tcred/tcred/internal/human"
	"github.com/tcred/tcred/keystore"
)

// world is what the binaries see: a temporary directory that is HOME and everything else, and an emulator of STS.
type world struct {
	dir     string
	tcred   string // paths of the binaries
	helper  string
	env     []string
	sts     *emulator.Emulator
	account emulator.Account
	stop    context.CancelFunc // of the emulator
}

// newWorld makes a world. Call remove when it is no longer needed.
func newWorld(ctx context.Context) (*world, error) {
	dir, err := shortTempDir()
	if err != nil {
		return nil, err
	}
	w := &world{dir: dir, env: environment(dir), account: emulator.NewAccount(false), stop: func() {}}
	w.sts = emulator.New(emulator.Options{Accounts: []emulator.Account{w.account}})
	if err := errors.Join(w.findBinaries(), w.listen(ctx)); err != nil {
		return nil, errors.Join(err, w.remove())
	}
	return w, nil
}

// remove stops the daemon and the emulator and removes the directory, also after an interrupt.
func (w *world) remove() error {
	var err error
	if w.tcred != "" {
		_, err = w.runTcred(context.Background(), "", "daemon", "stop")
	}
	w.stop()
	return errors.Join(err, os.RemoveAll(w.dir))
}

// shortTempDir leaves room for a socket's path, which has at most about a hundred bytes.
func shortTempDir() (string, error) {
	for _, parent := range []string{"", "/tmp"} {
		dir, err := os.MkdirTemp(parent, "tcred-demo-")
		if err != nil {
			return "", fmt.Errorf("making the demo's directory: %w", err)
		}
		if len(dir) < 70 {
			return dir, nil
		}
		if err := os.Remove(dir); err != nil {
			return "", fmt.Errorf("removing a directory of too long a path: %w", err)
		}
	}
	return "", &api.Error{
		Code: api.Internal, Message: "the path of the temporary directory is too long for a socket",
		Hint: "TMPDIR=/tmp tcred demo",
	}
}

// environment is this process's environment with every place of tcred moved into dir, and without any credential.
func environment(dir string) []string {
	var env []string
	for _, kv := range (credential.Credential{}).Environ(os.Environ()) { // its own variables are empty
		name, value, _ := strings.Cut(kv, "=")
		moved := name == "HOME" || strings.HasPrefix(name, "XDG_") || strings.HasPrefix(name, "TCRED_") ||
			strings.HasPrefix(name, "DBUS_")
		if !moved && value != "" {
			env = append(env, kv)
		}
	}
	return append(env, "HOME="+dir, api.EnvSocket+"="+filepath.Join(dir, "run", "tcred.sock"),
		"XDG_CONFIG_HOME="+filepath.Join(dir, "config"), "XDG_CACHE_HOME="+filepath.Join(dir, "cache"),
		"XDG_STATE_HOME="+filepath.Join(dir, "state"), "XDG_DATA_HOME="+filepath.Join(dir, "data"))
}

// findBinaries takes this binary, and the helper beside it. Where there is none, as under go run, this binary is also
// the helper, under its name.
func (w *world) findBinaries() error {
	self, err := os.Executable()
	if err != nil {
		return fmt.Errorf("finding this binary: %w", err)
	}
	if self, err = filepath.EvalSymlinks(self); err != nil {
		return fmt.Errorf("finding this binary: %w", err)
	}
	w.tcred, w.helper = self, filepath.Join(filepath.Dir(self), "tcred-helper")
	if filepath.Base(self) == "tcred" && disk.IsFile(w.helper) {
		return nil
	}
	bin := filepath.Join(w.dir, "bin")
	w.tcred, w.helper = filepath.Join(bin, "tcred"), filepath.Join(bin, "tcred-helper")
	if err := linkBinaries(self, bin, w.tcred, w.helper); err != nil {
		return fmt.Errorf("making the demo's binaries: %w", err)
	}
	return nil
}

// linkBinaries gives self both names, in bin.
func linkBinaries(self, bin, tcred, helper string) error {
	if err := os.Mkdir(bin, 0o700); err != nil {
		return err
	}
	if os.Link(self, tcred) != nil { // it is on another file system, for example
		if err := copyFile(self, tcred); err != nil {
			return err
		}
	}
	return os.Symlink(filepath.Base(tcred), helper)
}

func copyFile(from, to string) error {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o700)
	if err != nil {
		return err
	}
	_, err = io.Copy(out, in)
	return errors.Join(err, out.Close())
}

// listen starts the emulator, which ends with ctx, and writes the config that leads to it.
func (w *world) listen(ctx context.Context) error {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return fmt.Errorf("starting the emulator: %w", err)
	}
	ctx, w.stop = context.WithCancel(ctx)
	go emulator.Serve(ctx, l, w.sts)
	return w.configure("http://" + l.Addr().String())
}

// configure writes config.toml and makes a file keystore. Its passphrase is random, so a small work factor is enough.
func (w *world) configure(endpoint string) error {
	passphrase := rand.Text()
	secret := filepath.Join(w.dir, "secret")
	text := fmt.Sprintf(configText, endpoint, human.Span(config.MinIdleExit), filepath.Join(secret, "passphrase"))
	err := errors.Join(
		os.MkdirAll(secret, 0o700),
		os.WriteFile(filepath.Join(secret, "passphrase"), []byte(passphrase), 0o600),
		os.MkdirAll(filepath.Join(w.dir, "config", "tcred"), 0o700),
		os.WriteFile(filepath.Join(w.dir, "config", "tcred", "config.toml"), []byte(text), 0o600),
		keystore.CreateFile(filepath.Join(w.dir, "data", "tcred", "keys"), credential.Secret(passphrase), 10),
	)
	if err != nil {
		return fmt.Errorf("writing the demo's config and keystore: %w", err)
	}
	return nil
}

// configText is config.toml. A demo that was killed could not stop its daemon: idle_exit ends that one soon.
const configText = `endpoint = %q
idle_exit = %q

[keystore]
backend = "file"
passphrase_file = %q

[profiles.upload]
policy = '{"version":"2.0","statement":[{"effect":"allow","action":"name/cos:PutObject","resource":"*"}]}'

[profiles.fleet]
policy = '{"version":"2.0","statement":[{"effect":"allow","action":"name/cos:GetObject","resource":"*"}]}'
`

func (w *world) runHelper(ctx context.Context, args ...string) ([]byte, error) {
	return w.runBinary(ctx, "", w.helper, args...)
}

func (w *world) runTcred(ctx context.Context, stdin string, args ...string) ([]byte, error) {
	return w.runBinary(ctx, stdin, w.tcred, args...)
}

// runBinary runs a binary in this world and returns its stdout. What it says on stderr is only part of an error.
func (w *world) runBinary(ctx context.Context, stdin, path string, args ...string) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, path, args...)
	cmd.Env, cmd.Stdin = w.env, strings.NewReader(stdin)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		said := strings.TrimSpace(stderr.String())
		return nil, fmt.Errorf("%s %s: %w: %s", filepath.Base(path), strings.Join(args, " "), err, said)
	}
	return out, nil
}
