package config

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/tcred/tcred/api"
)

// Initial is what tcred init wants config.toml to say. What is "" may be anything in a file that is there, and has its
// default in a new one.
type Initial struct {
	Site           string // one of Sites
	Backend        string // of the keystore, one of Backends
	PassphraseFile string // an absolute path
}

// Text is a new config.toml.
func (i Initial) Text() []byte {
	text := Template(i.Site, i.Backend)
	if i.PassphraseFile == "" {
		return text
	}
	backend := []byte("backend = \"file\"\n")
	return bytes.Replace(text, backend, fmt.Appendf(backend, "passphrase_file = %q\n", i.PassphraseFile), 1)
}

// Compare reports whether there is a config.toml at path already. One that says something else than i is an error.
func (i Initial) Compare(path string) (there bool, err error) {
	if _, err := os.Lstat(path); errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		return true, &api.Error{
			Code: api.ConfigInvalid, Message: path + " is a link to nothing; nothing was written",
			Hint: "remove the link, or put the file back that it leads to",
		}
	}
	c, _, err := Load(path)
	if err != nil {
		e := *api.AsError(err)
		e.Message += "; the file was not changed"
		return true, &e
	}
	return true, i.compare(c)
}

// compare is the error for the first setting of c that is not as i wants it.
func (i Initial) compare(c *Config) error {
	for _, s := range []struct{ name, table, want, have string }{
		{"site", "", i.Site, c.Site},
		{"backend", " under [keystore]", i.Backend, c.Keystore.Backend},
		{"passphrase_file", " under [keystore]", i.PassphraseFile, c.Keystore.PassphraseFile},
	} {
		if s.want == "" || s.want == s.have {
			continue
		}
		have := "no " + s.name
		if s.have != "" {
			have = fmt.Sprintf("%s = %q", s.name, s.have)
		}
		return &api.Error{
			Code:    api.ConfigInvalid,
			Message: fmt.Sprintf("%s is there already, with %s; it was not changed", c.Path, have),
			Hint:    fmt.Sprintf("write %s = %q%s there, then run this again", s.name, s.want, s.table),
		}
	}
	return nil
}

// Create writes i's Text to path, 0600, where no file may be yet. Directories that are missing become the user's alone.
func (i Initial) Create(path string) error {
	err := os.MkdirAll(filepath.Dir(path), 0o700)
	if err == nil {
		err = create(path, i.Text())
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
