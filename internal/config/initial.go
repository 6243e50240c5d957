package config

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/tcred/tcred/api"
	"github.com/tcred/tcred/internal/disk"
)

// Initial is what tcred init wants config.toml to say. What is "" may be anything in a file that is there, and has its
// default in a new one.
type Initial struct {
	Site           string // one of Sites
	Backend        string // of the keystore, one of Backends
	PassphraseFile string // an absolute path
	NoFile         bool   // no passphrase_file, whatever is there
}

// Text is a new config.toml.
func (i Initial) Text() []byte {
	text := Template(i.Site, i.Backend)
	if i.PassphraseFile == "" {
		return text
	}
	backend := []byte("backend = \"file\"\n")
	return bytes.Replace(text, backend, fmt.Appendf(backend, "passphrase_file = %s\n", quoted(i.PassphraseFile)), 1)
}

// BadBackend is the error for $TCRED_KEYSTORE that names no keystore.
func BadBackend(backend string) error {
	return &api.Error{
		Code: api.ConfigInvalid,
		Message: fmt.Sprintf("%s is %q, not one of %s%s",
			api.EnvKeystore, backend, strings.Join(Backends, ", "), DidYouMean(backend, Backends)),
		Hint: "set it to one of them, or unset " + api.EnvKeystore,
	}
}

// By is k with the backend that $TCRED_KEYSTORE names; "" changes nothing. What config.toml says beside another backend
// does not go with it.
func (k Keystore) By(variable string) (Keystore, error) {
	switch {
	case variable == "" || variable == k.Backend:
		return k, nil
	case !slices.Contains(Backends, variable):
		return k, BadBackend(variable)
	}
	return Keystore{Backend: variable}, nil
}

// Writing is how config.toml comes to say what an Initial wants. Nothing is written yet.
type Writing struct {
	Path     string
	There    bool      // a file is there; it changes in [keystore] alone
	Keystore Keystore  // as it will be
	Was      Keystore  // as it was, the default where no file is there
	Changes  []Change  // of a file that is there
	Problems []Problem // of a file that is there, in spite of which its keystore can be changed

	before, after []byte
}

// Plan finds what to write at path. A file that is there keeps all but its keystore: where it names another site, or
// is no TOML, that is an error. Without a Backend nothing in it changes.
func (i Initial) Plan(path string) (Writing, error) {
	w := Writing{
		Path: path, after: i.Text(), Was: Keystore{Backend: DefaultBackend},
		Keystore: Keystore{Backend: cmp.Or(i.Backend, DefaultBackend), PassphraseFile: i.PassphraseFile},
	}
	if _, err := os.Lstat(path); errors.Is(err, fs.ErrNotExist) {
		return w, nil
	}
	w.There = true
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		return w, &api.Error{
			Code: api.ConfigInvalid, Message: path + " is a link to nothing; nothing was written",
			Hint: "remove the link, or put the file back that it leads to",
		}
	}
	c, problems, err := Load(path)
	invalid := (*Invalid)(nil)
	if errors.As(err, &invalid) {
		problems = invalid.Problems
	}
	if c == nil || err != nil && i.Backend == "" {
		return w, unchanged(err)
	}
	if i.Site != "" && i.Site != c.Site {
		return w, i.otherSite(c)
	}
	w.Problems = problems
	w.before, w.after = c.written.root.doc.raw, c.written.root.doc.raw
	w.Keystore, w.Was = c.Keystore, c.Keystore
	if i.Backend != "" {
		err = w.change(i)
	}
	return w, err
}

// change makes the keystore of a file that is there what i wants.
func (w *Writing) change(i Initial) error {
	text, mark := bytes.CutPrefix(w.before, []byte("\ufeff"))
	changed, err := rewriteKeystore(text, i.Backend, i.PassphraseFile, i.NoFile)
	if err != nil {
		return err
	}
	if mark {
		changed = append([]byte("\ufeff"), changed...)
	}
	w.after, w.Changes = changed, changesOf(string(w.before), string(changed))
	w.Keystore = Keystore{Backend: i.Backend}
	if i.Backend == "file" {
		d := &document{file: w.Path, raw: changed}
		d.parse()
		w.Keystore.PassphraseFile = d.root.sub("keystore").path("passphrase_file")
	}
	return nil
}

// unchanged is err with the words that the file is as it was.
func unchanged(err error) error {
	e := *api.AsError(err)
	e.Message += "; the file was not changed"
	return &e
}

func (i Initial) otherSite(c *Config) error {
	have := "no site"
	if c.Site != "" {
		have = fmt.Sprintf("site = %q", c.Site)
	}
	return &api.Error{
		Code:    api.ConfigInvalid,
		Message: fmt.Sprintf("%s is there already, with %s; it was not changed", c.Path, have),
		Hint:    fmt.Sprintf("write site = %q there, then run this again", i.Site),
	}
}

// Write writes it. A new file is 0600, and directories that are missing become the user's alone; where there is one
// by now it stays. A file that is there keeps its mode, changes whole or not at all, and must be the user's own and
// what Plan saw.
func (w Writing) Write() error {
	var err error
	switch {
	case !w.There:
		if err = os.MkdirAll(filepath.Dir(w.Path), 0o700); err == nil {
			err = create(w.Path, w.after)
		}
	case bytes.Equal(w.before, w.after):
		return nil
	default:
		err = w.rewrite()
	}
	if err == nil {
		return nil
	}
	e := &api.Error{Code: api.ConfigInvalid, Message: fmt.Sprintf("cannot write %s: %v", w.Path, err), Cause: err}
	if fault, is := errors.AsType[*disk.Fault](err); is {
		e.Hint = fault.Cure
	}
	return e
}

func (w Writing) rewrite() error {
	now, err := disk.Read(w.Path, maxConfig)
	if err != nil {
		return err
	}
	if !bytes.Equal(now, w.before) {
		return errors.New("it was changed by something else just now")
	}
	return disk.Rewrite(w.Path, ".config-*", w.after)
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
