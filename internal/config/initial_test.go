package config

import (
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/tcred/tcred/api"
)

func TestAnInitialConfigIsWrittenOnceAndSaysWhatWasAskedFor(t *testing.T) {
	path, passphrase := filepath.Join(t.TempDir(), "tcred", "config.toml"), filepath.Join(t.TempDir(), "passphrase")
	first := Initial{Site: "intl", Backend: "file", PassphraseFile: passphrase}
	if there, err := first.Compare(path); there || err != nil {
		t.Fatalf("before it is written: %v, %v", there, err)
	}
	if err := first.Create(path); err != nil {
		t.Fatal(err)
	}
	for _, same := range []Initial{first, {}, {Site: "intl"}} {
		if there, err := same.Compare(path); !there || err != nil {
			t.Errorf("%+v: %v, %v", same, there, err)
		}
	}
	for want, other := range map[string]Initial{
		`with site = "intl"`: {Site: "cn"}, `with backend = "file"`: {Backend: "env"},
		"with passphrase_file = " + strconv.Quote(passphrase): {PassphraseFile: passphrase + ".other"},
	} {
		if _, err := other.Compare(path); api.CodeOf(err) != api.ConfigInvalid || !strings.Contains(err.Error(), want) {
			t.Errorf("%+v: %v", other, err)
		}
	}
	if err := (Initial{}).Create(path); api.CodeOf(err) != api.ConfigInvalid {
		t.Errorf("a file that is there was overwritten: %v", err)
	}
}
