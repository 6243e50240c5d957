//go:build unix

package keystore

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/tcred/tcred/api"
)

// TestADirectoryThatIsNotOursAloneIsNamedWithItsCure also of the index, which says what is asked of STS in whose name.
func TestADirectoryThatIsNotOursAloneIsNamedWithItsCure(t *testing.T) {
	for want, tt := range map[string]struct {
		hint  string
		spoil func(dir string) error
	}{
		"is a link": {"put the directory itself",
			func(d string) error { return errors.Join(os.Rename(d, d+"2"), os.Symlink(d+"2", d)) }},
		"is not a directory": {"move it away",
			func(d string) error { return errors.Join(os.RemoveAll(d), os.WriteFile(d, nil, 0o600)) }},
		"open to other users":   {"chmod 700 ", func(d string) error { return os.Chmod(d, 0o750) }},
		"belongs to another us": {"chown it to yourself", func(d string) error { return os.Chown(d, 65534, 65534) }},
	} {
		t.Run(want, func(t *testing.T) {
			if strings.HasPrefix(tt.hint, "chown") && os.Geteuid() != 0 {
				t.Skip("only root can give a directory away")
			}
			x := newIndex(t)
			if err := x.Put(t.Context(), Entry{Name: "work"}); err != nil {
				t.Fatal(err)
			}
			s := newFileStore(t, nil)
			for dir, use := range map[string]func() error{
				filepath.Dir(x.Path): func() error { _, err := x.Load(); return err },
				s.dir:                func() error { return s.Probe(t.Context()) },
			} {
				if err := tt.spoil(dir); err != nil {
					t.Fatal(err)
				}
				err := use()
				wantCode(t, err, api.KeystoreFailed)
				if e := api.AsError(err); !strings.Contains(e.Message, want) || !strings.Contains(e.Message, dir) ||
					!strings.HasPrefix(e.Message, "the ") || !strings.Contains(e.Hint, tt.hint) {
					t.Errorf("%s; %s", e.Message, e.Hint)
				}
			}
			if err := x.Put(t.Context(), Entry{Name: "home"}); err == nil {
				t.Error("an entry was added there")
			}
		})
	}
}

func TestAPipeInTheIndexsPlaceBlocksNobody(t *testing.T) {
	x := newIndex(t)
	if err := errors.Join(os.Mkdir(filepath.Dir(x.Path), 0o700), syscall.Mkfifo(x.Path, 0o600)); err != nil {
		t.Fatal(err)
	}
	_, err := x.Load()
	wantCode(t, err, api.ConfigInvalid)
}
