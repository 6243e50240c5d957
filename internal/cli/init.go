package cli

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/tcred/tcred/api"
	"github.com/tcred/tcred/credential"
	"github.com/tcred/tcred/internal/cmdline"
	"github.com/tcred/tcred/internal/config"
	"github.com/tcred/tcred/internal/human"
	"github.com/tcred/tcred/internal/place"
	"github.com/tcred/tcred/internal/place/dirs"
	"github.com/tcred/tcred/internal/process"
	"github.com/tcred/tcred/internal/tty"
	"github.com/tcred/tcred/keystore"
)

func (a *app) initCmd() *cobra.Command {
	var want config.Initial
	cmd := &cobra.Command{
		Use:   "init",
		Short: "Write a config file",
		Long: `Init writes config.toml, with every line explained. A file that is there is never overwritten. tcred
works without it too; a config file is for another keystore than the system's keychain, and for
profiles that may do less than their key.

  keychain   the system's: macOS, Secret Service (GNOME Keyring, KWallet, KeePassXC), Windows
  file       encrypted files under a passphrase, for machines without a desktop
  dir        read-only files that something else puts there: systemd credentials, mounted secrets
  env        TENCENTCLOUD_SECRET_ID and TENCENTCLOUD_SECRET_KEY of the daemon's own environment`,
		Example: `  tcred init
  tcred init --keystore file
  tcred init --keystore file --passphrase-file /etc/tcred/passphrase`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := checkInit(&want); err != nil {
				return err
			}
			return a.writeConfig(cmd.Context(), want)
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
			"no keystore %q%s", want.Backend, human.DidYouMean(want.Backend, config.Backends))
	}
	if want.Site != "" && !slices.Contains(config.Sites, want.Site) {
		return cmdline.Error("cn for tencentcloudapi.com, intl for intl.tencentcloudapi.com", "no site %q", want.Site)
	}
	if want.PassphraseFile == "" {
		return nil
	}
	if want.Backend != "file" {
		return cmdline.Error("add --keystore file", "--passphrase-file is for the file keystore")
	}
	abs, err := filepath.Abs(want.PassphraseFile)
	if err != nil {
		return fmt.Errorf("finding the passphrase file: %w", err)
	}
	want.PassphraseFile = abs
	return nil
}

// writeConfig makes what is missing of the config file and the file keystore; running it again changes nothing.
func (a *app) writeConfig(ctx context.Context, want config.Initial) error {
	process.Harden() // the passphrase and the identity of a new keystore come into this process
	p, err := dirs.Find()
	if err != nil {
		return err
	}
	if err := place.CheckConfigDir(); err != nil {
		return err
	}
	there, err := want.Compare(p.Config)
	if err != nil {
		return err
	}
	if want.Backend == "file" {
		if err := a.makeKeystore(ctx, p.Keys, want.PassphraseFile); err != nil {
			return err
		}
	}
	if there {
		a.tell("%s is there already, and as asked for; it was not changed", p.Config)
	} else {
		if err := want.Create(p.Config); err != nil {
			return err
		}
		a.tell("wrote %s", p.Config)
	}
	a.tell("%s", nextStep(want.Backend))
	return nil
}

// nextStep is what to do after init.
func nextStep(backend string) string {
	switch backend {
	case "env":
		return "next: set TENCENTCLOUD_SECRET_ID and TENCENTCLOUD_SECRET_KEY, then tcred add, then tcred daemon, " +
			"from this same shell"
	case "dir":
		return "next: SecretId and SecretKey on two lines of tcred.key.default in $CREDENTIALS_DIRECTORY, " +
			"or in the dir that config.toml names; then tcred add"
	}
	return "next: tcred add"
}

// makeKeystore makes the file keystore, unless there is one.
func (a *app) makeKeystore(ctx context.Context, dir, passphraseFile string) error {
	store, err := keystore.Open(keystore.Options{Backend: "file", FileDir: dir, PassphraseFile: passphraseFile})
	if err != nil {
		return err
	}
	_, err = store.List(ctx)
	if err == nil {
		a.tell("there is a file keystore in %s already; it stays as it is", dir)
		if passphraseFile != "" {
			return store.Probe(ctx) // does it open it?
		}
		return nil
	}
	if api.CodeOf(err) != api.KeystoreAbsent {
		return err
	}
	passphrase, err := a.newPassphrase(ctx, passphraseFile)
	if err != nil {
		return err
	}
	if err := keystore.CreateFile(dir, passphrase, 0); err != nil {
		return err
	}
	a.tell("made a file keystore in %s; without its passphrase nobody can open it, not even you", dir)
	return nil
}

// newPassphrase reads the passphrase from a file, or has the person enter it twice.
func (a *app) newPassphrase(ctx context.Context, file string) (credential.Secret, error) {
	if file != "" {
		passphrase, err := keystore.ReadPassphrase(file)
		if err == nil {
			err = keystore.CheckPassphrase(passphrase)
		}
		return passphrase, err
	}
	if !tty.Is(a.in) {
		return "", cmdline.Error("--passphrase-file FILE names a file that holds it; or run it at a terminal",
			"stdin is not a terminal, so a passphrase for the file keystore cannot be asked for")
	}
	restore, err := a.terminal().Mute()
	if err != nil {
		return "", err
	}
	defer restore()
	first, err := a.terminal().Hidden(ctx, "a passphrase for the file keystore")
	if err != nil {
		return "", err
	}
	if first == "" {
		return "", cmdline.Error("", "the passphrase is empty; nothing was written")
	}
	if err := keystore.CheckPassphrase(first); err != nil {
		return "", err
	}
	second, err := a.terminal().Hidden(ctx, "the same once more")
	if err != nil {
		return "", err
	}
	if second != first {
		return "", cmdline.Error("run it again", "the two passphrases differ; nothing was written")
	}
	return first, nil
}
