package cli

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/tcred/tcred/api"
	"github.com/tcred/tcred/credential"
	"github.com/tcred/tcred/internal/cmdline"
	"github.com/tcred/tcred/internal/config"
	"github.com/tcred/tcred/internal/human"
	"github.com/tcred/tcred/internal/keys"
	"github.com/tcred/tcred/internal/place"
	"github.com/tcred/tcred/internal/place/dirs"
	"github.com/tcred/tcred/internal/process"
	"github.com/tcred/tcred/internal/say"
	"github.com/tcred/tcred/internal/tty"
	"github.com/tcred/tcred/keystore"
)

func (a *app) initCmd() *cobra.Command {
	var want config.Initial
	cmd := &cobra.Command{
		Use:   "init",
		Short: "Write a config file",
		Long: `Init writes config.toml, with every line explained. tcred works without it too; a config file is for
another keystore than the system's keychain, and for profiles that may do less than their key.

  keychain   the system's: macOS, Secret Service (GNOME Keyring, KWallet, KeePassXC), Windows
  file       encrypted files under a passphrase, for machines without a desktop
  dir        read-only files that something else puts there: systemd credentials, mounted secrets
  env        TENCENTCLOUD_SECRET_ID and TENCENTCLOUD_SECRET_KEY of a job's environment: get and exec
             read them there, without the daemon

Where no keychain can be used, it offers the file keystore. In a file that is there, --keystore changes
that one line and nothing else, and shows it; without --keystore the file stays as it is. The passphrase
of a new file keystore is asked for twice and handed to the daemon; --passphrase-file names a file for
it instead, and makes a random one there if the file is not there.

$TCRED_KEYSTORE names a keystore in place of config.toml's, and needs no file: TCRED_KEYSTORE=env.`,
		Example: `  tcred init
  tcred init --keystore file
  tcred init --keystore file --passphrase-file /etc/tcred/passphrase
  tcred init --keystore env`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := checkInit(&want); err != nil {
				return err
			}
			return a.init(cmd.Context(), want)
		},
	}
	cmd.Flags().StringVar(&want.Backend, "keystore", "", "where keys are kept: "+strings.Join(config.Backends, ", "))
	cmd.Flags().StringVar(&want.Site, "site", "", "cn or intl; left out: as tcred add finds it for the key")
	cmd.Flags().StringVar(&want.PassphraseFile, "passphrase-file", "",
		"of the file keystore: a file, yours alone, with its passphrase")
	return cmd
}

// checkInit holds the flags to what config.toml takes, and makes the path absolute.
func checkInit(want *config.Initial) error {
	if want.Backend != "" && !slices.Contains(config.Backends, want.Backend) {
		return cmdline.Error("one of "+strings.Join(config.Backends, ", "),
			"no keystore %q%s", want.Backend, config.DidYouMean(want.Backend, config.Backends))
	}
	if want.Site != "" && !slices.Contains(config.Sites, want.Site) {
		return cmdline.Error("cn for tencentcloudapi.com, intl for intl.tencentcloudapi.com", "no site %q", want.Site)
	}
	if want.PassphraseFile == "" {
		return nil
	}
	if want.Backend != "file" {
		return cmdline.Error("tcred init --keystore file --passphrase-file "+human.ShellWord(want.PassphraseFile),
			"--passphrase-file is for the file keystore")
	}
	abs, err := filepath.Abs(want.PassphraseFile)
	if err != nil {
		return fmt.Errorf("finding the passphrase file: %w", err)
	}
	want.PassphraseFile = abs
	return nil
}

// init makes what is missing of the config file and the file keystore; running it again changes nothing.
func (a *app) init(ctx context.Context, want config.Initial) error {
	process.Harden() // the passphrase and the identity of a new keystore come into this process
	p, err := dirs.Find()
	if err != nil {
		return err
	}
	if err := place.CheckConfigDir(); err != nil {
		return err
	}
	w, err := a.planInit(ctx, want, p)
	if err != nil {
		return err
	}
	var passphrase credential.Secret
	if w.Keystore.Backend == "file" {
		f := keys.FileStore{Dir: p.Keys, Fresh: a.newPassphrase(w.Keystore.PassphraseFile, fileKeystore(p))}
		if passphrase, err = f.Make(ctx); err != nil {
			return err
		}
	}
	if err := w.Write(); err != nil {
		return err
	}
	a.tellWritten(w)
	a.reloadDaemon(ctx)
	if passphrase != "" {
		a.handOver(ctx, passphrase)
	}
	return a.nextAfterInit(ctx, p, w)
}

// planInit is what to write. Where that would be the keychain, and none can be used, a person at the terminal is
// offered the file keystore.
func (a *app) planInit(ctx context.Context, want config.Initial, p dirs.Places) (config.Writing, error) {
	w, err := want.Plan(p.Config)
	if err == nil && !w.There && want.Backend == "" && os.Getenv(api.EnvKeystore) != "" {
		if want.Backend = os.Getenv(api.EnvKeystore); !slices.Contains(config.Backends, want.Backend) {
			return w, config.BadBackend(want.Backend)
		}
		w, err = want.Plan(p.Config)
	}
	if err != nil || want.Backend != "" || w.Keystore.Backend != "keychain" || !tty.Is(a.in) {
		return w, err
	}
	why := noKeychain(ctx)
	if why == nil {
		return w, nil
	}
	a.warn("%v", why)
	yes, err := a.terminal().Yes(ctx, "keep keys in files under a passphrase instead?")
	if err != nil || !yes {
		return w, err
	}
	want.Backend = "file"
	return want.Plan(p.Config)
}

// noKeychain is why the keychain cannot be used here, nil if it can. One that is locked can, where there is a screen
// for its password window.
func noKeychain(ctx context.Context) error {
	store, err := keystore.Open(keystore.Options{Backend: "keychain"})
	if err != nil {
		return err
	}
	err = store.Probe(ctx)
	screen := runtime.GOOS != "linux" || os.Getenv("DISPLAY") != "" || os.Getenv("WAYLAND_DISPLAY") != ""
	if api.CodeOf(err) == api.KeystoreLocked && screen {
		return nil
	}
	return err
}

// tellWritten says what became of config.toml.
func (a *app) tellWritten(w config.Writing) {
	switch {
	case !w.There:
		a.tell("wrote %s", w.Path)
	case len(w.Changes) == 0:
		a.tell("%s is there already, and as asked for; it was not changed", w.Path)
	default:
		a.tell("changed %s:", w.Path)
		a.showChanges(w.Changes)
	}
	for _, problem := range w.Problems {
		if !problem.Warning {
			a.warn("%s (tcred check shows every problem)", problem)
			break
		}
	}
}

// showChanges shows lines as diff does.
func (a *app) showChanges(changes []config.Change) {
	for _, c := range changes {
		if c.Old != "" {
			a.tell("  - %s", strings.TrimSpace(c.Old))
		}
		if c.New != "" {
			a.tell("  + %s", strings.TrimSpace(c.New))
		}
	}
}

// nextAfterInit says what to do now: where the keystore that config.toml names cannot be used, which one can.
func (a *app) nextAfterInit(ctx context.Context, p dirs.Places, w config.Writing) error {
	a.tellOverridden(w)
	a.tellLeftBehind(p, w)
	if w.Keystore.Backend == "keychain" {
		if why := noKeychain(ctx); why != nil {
			a.warn("%v", why)
			fmt.Fprintln(a.err, say.HintPrefix+keystoreThatWorks(p))
			return nil
		}
	}
	a.tell("%s", nextStep(w.Keystore.Backend))
	return nil
}

// keystoreThatWorks is the command for a keystore that this place has, without a question.
func keystoreThatWorks(p dirs.Places) string {
	if keyInEnvironment() {
		return "tcred init --keystore env"
	}
	return fileKeystore(p)
}

// fileKeystore is the command that makes a file keystore without a question.
func fileKeystore(p dirs.Places) string {
	return "tcred init --keystore file --passphrase-file " + human.ShellWord(passphrasePath(p))
}

// passphrasePath is where a passphrase file may be that nobody named.
func passphrasePath(p dirs.Places) string { return filepath.Join(filepath.Dir(p.Config), "passphrase") }

// tellOverridden tells of a variable that wins over what was written.
func (a *app) tellOverridden(w config.Writing) {
	if by := os.Getenv(api.EnvKeystore); by != "" && by != w.Keystore.Backend {
		a.warn("%s is %q in this shell, and wins over config.toml; to end that: unset %[1]s", api.EnvKeystore, by)
	}
}

// tellLeftBehind tells of keys that were added to another keystore than the one that config.toml names now.
func (a *app) tellLeftBehind(p dirs.Places, w config.Writing) {
	if w.Was.Backend == w.Keystore.Backend {
		return
	}
	entries, err := indexOf(p).Load()
	if err != nil || len(entries) == 0 {
		return
	}
	names := make([]string, len(entries))
	for i, e := range entries {
		names[i] = e.Name
	}
	a.warn("keys of the keystore that was used before stay there, and are not in this one: %s",
		strings.Join(names, ", "))
}

// nextStep is what to do after init.
func nextStep(backend string) string {
	switch {
	case backend == "env" && keyInEnvironment():
		return "next: tcred exec -- COMMAND"
	case backend == "env":
		return "next: set TENCENTCLOUD_SECRET_ID and TENCENTCLOUD_SECRET_KEY, then tcred exec -- COMMAND"
	case backend == "dir":
		return "next: SecretId and SecretKey on two lines of tcred.key.default in $CREDENTIALS_DIRECTORY, " +
			"or in the dir that config.toml names; then tcred add"
	}
	return "next: tcred add"
}

// newPassphrase is where a new passphrase comes from: file, or the person at the terminal. inScript is the command for
// where nobody is.
func (a *app) newPassphrase(file, inScript string) keys.NewPassphrase {
	n := keys.NewPassphrase{File: file, InScript: inScript, Say: a.tell}
	if tty.Is(a.in) {
		n.Ask = a.askNewPassphrase
	}
	return n
}

// askNewPassphrase has the person enter a new passphrase twice, until both are the same.
func (a *app) askNewPassphrase(ctx context.Context) (credential.Secret, error) {
	restore, err := a.terminal().Mute()
	if err != nil {
		return "", err
	}
	defer restore()
	for try := 1; ; try++ {
		first, err := a.terminal().Hidden(ctx, "a passphrase for the file keystore")
		if err != nil {
			return "", nothingWritten(err)
		}
		fault := newPassphraseFault(first)
		if fault == nil {
			second, err := a.terminal().Hidden(ctx, "the same once more")
			if err != nil {
				return "", nothingWritten(err)
			}
			if second == first {
				return first, nil
			}
			fault = cmdline.Error("", "the two passphrases differ")
		}
		if try == passphraseTries {
			return "", nothingWritten(fault)
		}
		a.warn("%v; once more", fault)
	}
}

// newPassphraseFault is why what a person entered cannot be a new passphrase, nil if it can.
func newPassphraseFault(passphrase credential.Secret) error {
	if passphrase == "" {
		return cmdline.Error("", "the passphrase is empty")
	}
	return keystore.CheckPassphrase(passphrase)
}

// nothingWritten is err with those words.
func nothingWritten(err error) error {
	if api.CodeOf(err) != api.BadRequest {
		return err
	}
	e := *api.AsError(err)
	e.Message += "; nothing was written"
	return &e
}
