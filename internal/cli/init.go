package cli

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/tcred/tcred/api"
	"github.com/tcred/tcred/credential"
	"github.com/tcred/tcred/internal/config"
	"github.com/tcred/tcred/internal/place/dirs"
	"github.com/tcred/tcred/keystore"
)

// initOptions are what tcred init is asked for; what is "" is left as it is.
type initOptions struct {
	site, keystore string
	passphraseFile string
}

func (a *app) initCmd() *cobra.Command {
	var o initOptions
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
			if err := o.check(); err != nil {
				return err
			}
			return a.writeConfig(cmd.Context(), o)
		},
	}
	cmd.Flags().StringVar(&o.keystore, "keystore", "", "where keys are kept: "+strings.Join(config.Backends, ", "))
	cmd.Flags().StringVar(&o.site, "site", "", "cn or intl; left out: as tcred add finds it for the key")
	cmd.Flags().StringVar(&o.passphraseFile, "passphrase-file", "", "of the file keystore: a file, yours alone, with its passphrase")
	return cmd
}

// check holds the flags to what config.toml takes, and makes the path absolute.
func (o *initOptions) check() error {
	if o.keystore != "" && !slices.Contains(config.Backends, o.keystore) {
		return usage("one of "+strings.Join(config.Backends, ", "), "no keystore %q%s", o.keystore, config.DidYouMean(o.keystore, config.Backends))
	}
	if o.site != "" && !slices.Contains(config.Sites, o.site) {
		return usage("cn for tencentcloudapi.com, intl for intl.tencentcloudapi.com", "no site %q", o.site)
	}
	if o.passphraseFile == "" {
		return nil
	}
	if o.keystore != "file" {
		return usage("add --keystore file", "--passphrase-file is for the file keystore")
	}
	abs, err := filepath.Abs(o.passphraseFile)
	if err != nil {
		return fmt.Errorf("finding the passphrase file: %w", err)
	}
	o.passphraseFile = abs
	return nil
}

// writeConfig makes what is missing of the config file and the file keystore; running it again changes nothing.
func (a *app) writeConfig(ctx context.Context, o initOptions) error {
	harden() // the passphrase and the identity of a new keystore come into this process
	p, err := dirs.Find()
	if err != nil {
		return err
	}
	there, err := o.compare(p.Config)
	if err != nil {
		return err
	}
	if o.keystore == "file" {
		if err := a.makeKeystore(ctx, p.Keys, o.passphraseFile); err != nil {
			return err
		}
	}
	if there {
		a.tell("%s is there already, and as asked for; it was not changed", p.Config)
	} else {
		if err := writeNew(p.Config, o.text()); err != nil {
			return err
		}
		a.tell("wrote %s", p.Config)
	}
	a.tell("%s", o.next())
	return nil
}

// compare reports whether there is a config already. One that says something else than o is an error.
func (o initOptions) compare(path string) (bool, error) {
	if _, err := os.Lstat(path); errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		return true, &api.Error{
			Code: api.ConfigInvalid, Message: path + " is a link to nothing; nothing was written",
			Hint: "remove the link, or put the file back that it leads to",
		}
	}
	c, _, err := config.Load(path)
	if err != nil {
		e := *api.AsError(err)
		e.Message += "; the file was not changed"
		return true, &e
	}
	for _, s := range []struct{ name, want, have string }{
		{"site", o.site, c.Site},
		{"backend", o.keystore, c.Keystore.Backend},
		{"passphrase_file", o.passphraseFile, c.Keystore.PassphraseFile},
	} {
		if s.want == "" || s.want == s.have {
			continue
		}
		where := ""
		if s.name != "site" {
			where = " under [keystore]"
		}
		have := "no " + s.name
		if s.have != "" {
			have = fmt.Sprintf("%s = %q", s.name, s.have)
		}
		return true, &api.Error{
			Code:    api.ConfigInvalid,
			Message: fmt.Sprintf("%s is there already, with %s; it was not changed", path, have),
			Hint:    fmt.Sprintf("write %s = %q%s there, then run this again", s.name, s.want, where),
		}
	}
	return true, nil
}

// text is the config file.
func (o initOptions) text() []byte {
	text := config.Template(o.site, o.keystore)
	if o.passphraseFile == "" {
		return text
	}
	backend := []byte("backend = \"file\"\n")
	return bytes.Replace(text, backend, fmt.Appendf(backend, "passphrase_file = %q\n", o.passphraseFile), 1)
}

// next is what to do after init.
func (o initOptions) next() string {
	switch o.keystore {
	case "env":
		return "next: set TENCENTCLOUD_SECRET_ID and TENCENTCLOUD_SECRET_KEY, then tcred add, then tcred daemon, from this same shell"
	case "dir":
		return "next: SecretId and SecretKey on two lines of tcred.key.default in $CREDENTIALS_DIRECTORY, or in the dir that config.toml names; then tcred add"
	}
	return "next: tcred add"
}

// writeNew writes a file that must not be there yet: 0600, in directories that are the user's alone if they are new.
func writeNew(path string, text []byte) error {
	err := os.MkdirAll(filepath.Dir(path), 0o700)
	if err == nil {
		err = create(path, text)
	}
	if err != nil {
		return &api.Error{Code: api.ConfigInvalid, Message: fmt.Sprintf("cannot write %s: %v", path, err), Cause: err}
	}
	return nil
}

func create(path string, text []byte) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(text)
	if err = errors.Join(err, f.Close()); err != nil {
		return errors.Join(err, os.Remove(path))
	}
	return nil
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
		return keystore.ReadPassphrase(file)
	}
	if !isTerminal(a.in) {
		return "", usage("--passphrase-file FILE names a file that holds it; or run it at a terminal",
			"stdin is not a terminal, so a passphrase for the file keystore cannot be asked for")
	}
	restore, err := a.mute()
	if err != nil {
		return "", err
	}
	defer restore()
	first, err := a.askHidden(ctx, "a passphrase for the file keystore")
	if err != nil {
		return "", err
	}
	if first == "" {
		return "", usage("", "the passphrase is empty; nothing was written")
	}
	second, err := a.askHidden(ctx, "the same once more")
	if err != nil {
		return "", err
	}
	if second != first {
		return "", usage("run it again", "the two passphrases differ; nothing was written")
	}
	return first, nil
}
