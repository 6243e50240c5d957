package cli

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
	"github.com/tcred/tcred/internal/human"
	"github.com/tcred/tcred/keystore"
)

// stage is the temporary world of the demo: a directory that is HOME and all else, an emulator, and this very binary.
type stage struct {
	app     *app
	dir     string
	tcred   string // paths of the binaries
	helper  string
	env     []string
	sts     *emulator.Emulator
	account emulator.Account
	stop    context.CancelFunc // of the emulator
}

// newStage builds it all up; clear takes it down again.
func newStage(ctx context.Context, a *app) (*stage, error) {
	dir, err := shortTempDir()
	if err != nil {
		return nil, err
	}
	s := &stage{app: a, dir: dir, account: emulator.NewAccount(false), stop: func() {}}
	s.sts = emulator.New(emulator.Options{Accounts: []emulator.Account{s.account}})
	s.env = demoEnv(dir)
	if err := errors.Join(s.findBinaries(), s.listen(ctx)); err != nil {
		return nil, errors.Join(err, s.clear())
	}
	return s, nil
}

// shortTempDir leaves room for a socket's path, which is bounded by about a hundred bytes.
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
			return "", err
		}
	}
	return "", &api.Error{Code: api.Internal, Message: "the path of the temporary directory is too long for a socket", Hint: "TMPDIR=/tmp tcred demo"}
}

// demoEnv is this process's environment with every place of tcred moved into dir, and no other credential in it.
func demoEnv(dir string) []string {
	var env []string
	for _, kv := range (credential.Credential{}).Environ(os.Environ()) {
		name, value, _ := strings.Cut(kv, "=")
		moved := name == "HOME" || strings.HasPrefix(name, "XDG_") || strings.HasPrefix(name, "TCRED_") || strings.HasPrefix(name, "DBUS_")
		if !moved && value != "" {
			env = append(env, kv)
		}
	}
	return append(env, "HOME="+dir, api.EnvSocket+"="+filepath.Join(dir, "run", "tcred.sock"),
		"XDG_CONFIG_HOME="+filepath.Join(dir, "config"), "XDG_CACHE_HOME="+filepath.Join(dir, "cache"),
		"XDG_STATE_HOME="+filepath.Join(dir, "state"), "XDG_DATA_HOME="+filepath.Join(dir, "data"))
}

// findBinaries takes this binary, and the helper beside it; where there is none, as under go run, this binary is
// the helper too, under its name.
func (s *stage) findBinaries() error {
	self, err := os.Executable()
	if err != nil {
		return fmt.Errorf("finding this binary: %w", err)
	}
	if self, err = filepath.EvalSymlinks(self); err != nil {
		return fmt.Errorf("finding this binary: %w", err)
	}
	s.tcred, s.helper = self, filepath.Join(filepath.Dir(self), "tcred-helper")
	if filepath.Base(self) == "tcred" && isFile(s.helper) {
		return nil
	}
	bin := filepath.Join(s.dir, "bin")
	s.tcred, s.helper = filepath.Join(bin, "tcred"), filepath.Join(bin, "tcred-helper")
	if err := os.Mkdir(bin, 0o700); err != nil {
		return err
	}
	if err := os.Link(self, s.tcred); err != nil {
		if err := copyFile(self, s.tcred); err != nil {
			return err
		}
	}
	return os.Symlink("tcred", s.helper)
}

func isFile(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular()
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

// listen starts the emulator and writes the config that leads to it.
func (s *stage) listen(ctx context.Context) error {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return fmt.Errorf("starting the emulator: %w", err)
	}
	ctx, s.stop = context.WithCancel(ctx)
	go emulator.Serve(ctx, l, s.sts) // it ends with ctx
	return s.configure("http://" + l.Addr().String())
}

// configure writes config and a file keystore. Its passphrase is random, so that little stretching is enough.
func (s *stage) configure(endpoint string) error {
	passphrase := rand.Text()
	secret := filepath.Join(s.dir, "secret")
	text := fmt.Sprintf(demoConfig, endpoint, human.Span(config.MinIdleExit), filepath.Join(secret, "passphrase"))
	return errors.Join(
		os.MkdirAll(secret, 0o700),
		os.WriteFile(filepath.Join(secret, "passphrase"), []byte(passphrase), 0o600),
		os.MkdirAll(filepath.Join(s.dir, "config", "tcred"), 0o700),
		os.WriteFile(filepath.Join(s.dir, "config", "tcred", "config.toml"), []byte(text), 0o600),
		keystore.CreateFile(filepath.Join(s.dir, "data", "tcred", "keys"), credential.Secret(passphrase), 10),
	)
}

// demoConfig lets the daemon of a demo that was killed, and could not stop it, end soon.
const demoConfig = `endpoint = %q
idle_exit = %q

[keystore]
backend = "file"
passphrase_file = %q

[profiles.upload]
policy = '{"version":"2.0","statement":[{"effect":"allow","action":"name/cos:PutObject","resource":"*"}]}'

[profiles.fleet]
policy = '{"version":"2.0","statement":[{"effect":"allow","action":"name/cos:GetObject","resource":"*"}]}'
`

func (s *stage) helperCmd(ctx context.Context, args ...string) ([]byte, error) {
	return s.child(ctx, "", s.helper, args...)
}

func (s *stage) tcredCmd(ctx context.Context, stdin string, args ...string) ([]byte, error) {
	return s.child(ctx, stdin, s.tcred, args...)
}

// child runs a command of the stage. What it says on stderr is part of the error only.
func (s *stage) child(ctx context.Context, stdin, path string, args ...string) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, path, args...)
	cmd.Env, cmd.Stdin = s.env, strings.NewReader(stdin)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("%s %s: %w: %s", filepath.Base(path), strings.Join(args, " "), err, strings.TrimSpace(stderr.String()))
	}
	return out, nil
}

// clear stops the daemon and the emulator and removes the directory, also after an interrupt.
func (s *stage) clear() error {
	ctx := context.Background()
	var err error
	if s.tcred != "" {
		_, err = s.tcredCmd(ctx, "", "daemon", "stop")
	}
	s.stop()
	return errors.Join(err, os.RemoveAll(s.dir))
}
