package keystore

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"github.com/tcred/tcred/api"
	"github.com/tcred/tcred/credential"
	"github.com/tcred/tcred/internal/disk"
)

// EnvCredentials is the variable that names the directory of a systemd unit's credentials.
const EnvCredentials = "CREDENTIALS_DIRECTORY"

// dirPrefix is how the name of every key's file begins in the dir keystore.
const dirPrefix = "tcred.key."

// dir reads keys that systemd (credentials) or Kubernetes (secrets) mounted.
type dir struct {
	readOnly
	path     string // "" is $CREDENTIALS_DIRECTORY
	notify   func(string)
	notified sync.Map // the lines so far, so that each is said once
}

func (d *dir) Get(_ context.Context, name string) (Key, error) {
	if err := checkName(name); err != nil {
		return Key{}, err
	}
	root, err := d.root()
	if err != nil {
		return Key{}, err
	}
	path := filepath.Join(root, dirPrefix+name)
	text, err := readSmall(path)
	if errors.Is(err, fs.ErrNotExist) {
		return Key{}, noKey(root, name, "its file would be "+path)
	}
	if err != nil {
		return Key{}, fail(api.KeystoreFailed, "", "key %q cannot be read: %w", name, err)
	}
	k, err := ParseKey(string(text))
	if err != nil {
		return Key{}, fail(api.KeystoreFailed, api.AsError(err).Hint, "%s holds no key: %w", path, err)
	}
	d.warnIfOpen(root, path)
	return k, nil
}

func (d *dir) List(context.Context) ([]string, error) {
	root, err := d.root()
	if err != nil {
		return nil, err
	}
	return listNames(root, dirPrefix, "")
}

func (d *dir) Probe(context.Context) error {
	_, err := d.root()
	return err
}

func (d *dir) Unlock(ctx context.Context, _ credential.Secret) error { return d.Probe(ctx) }

// root is the directory. Each call looks for it again: it may be mounted late.
func (d *dir) root() (string, error) {
	root := d.path
	if root == "" {
		root = os.Getenv(EnvCredentials)
	}
	if root == "" {
		return "", fail(api.KeystoreAbsent, "set dir under [keystore] in config.toml",
			`keystore "dir" has no directory: dir is not set and neither is $%s`, EnvCredentials)
	}
	info, err := os.Stat(root)
	if err != nil {
		return "", fail(api.KeystoreAbsent, "mount it, or correct dir under [keystore] in config.toml",
			`keystore "dir" is not there: %w`, err)
	}
	if !info.IsDir() {
		return "", fail(api.KeystoreAbsent, "correct dir under [keystore] in config.toml", "%s is not a directory", root)
	}
	return root, nil
}

// warnIfOpen warns of a key that others can read or replace. It is no error: the modes of mounted files, often 0444,
// are not the user's choice. Nobody reads a file in a directory that is closed to others.
func (d *dir) warnIfOpen(root, path string) {
	dir, err1 := os.Stat(root)
	file, err2 := os.Stat(path)
	if err1 != nil || err2 != nil || !ownersExist {
		return
	}
	if dir.Mode()&fs.ModeSticky == 0 { // in a sticky one, as Kubernetes mounts, only a file's owner can replace it
		d.warn(root, "can be written by", disk.Writers(dir))
	}
	d.warn(root, "belongs to", disk.Stranger(dir))
	d.warn(path, "belongs to", disk.Stranger(file))
	if dir.Mode()&0o011 != 0 {
		d.warn(path, "can be written by", disk.Writers(file))
	}
	if dir.Mode()&0o001 != 0 && file.Mode()&0o004 != 0 {
		d.warn(path, "can be read by", "every user of this machine")
	}
}

// warn says, once, what somebody can do with path. Without a somebody it says nothing.
func (d *dir) warn(path, fault, who string) {
	if who == "" {
		return
	}
	line := path + " " + fault + " " + who
	if _, said := d.notified.LoadOrStore(line, true); !said {
		d.notify(line)
	}
}

// listNames finds the keys in root, sorted. The name of each file is prefix, the key's name, suffix.
func listNames(root, prefix, suffix string) ([]string, error) {
	entries, err := os.ReadDir(root)
	if err != nil {
		return nil, fail(api.KeystoreFailed, "", "keys cannot be listed: %w", err)
	}
	var names []string
	for _, e := range entries {
		name, isPrefixed := strings.CutPrefix(e.Name(), prefix)
		name, isKey := strings.CutSuffix(name, suffix)
		if isPrefixed && isKey && !e.IsDir() && api.ValidName(name) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names, nil
}
