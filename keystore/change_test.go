package keystore

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tcred/tcred/api"
	"github.com/tcred/tcred/credential"
	"github.com/tcred/tcred/internal/disk"
)

const fresh = credential.Secret("a better horse")

// opensWith reports whether a passphrase opens a copy of what dir holds now, as after a kill, and key "work" is in it.
func opensWith(t *testing.T, dir string, p credential.Secret) bool {
	t.Helper()
	copied := filepath.Join(t.TempDir(), "keys")
	if err := os.CopyFS(copied, os.DirFS(dir)); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(copied, 0o700); err != nil {
		t.Fatal(err)
	}
	s, err := Open(Options{Backend: "file", FileDir: copied})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Unlock(t.Context(), p); err != nil {
		wantCode(t, err, api.WrongPassphrase)
		return false
	}
	got, err := s.Get(t.Context(), "work")
	return err == nil && got == testKey
}

func TestAChangedPassphraseOpensAndTheOldOneDoesNot(t *testing.T) {
	s := newFileStore(t, noPassphraseFile)
	mustPut(t, s, "work")
	wantCode(t, ChangePassphrase(t.Context(), s, fresh, nil), api.KeystoreLocked)
	if err := s.Unlock(t.Context(), passphrase); err != nil {
		t.Fatal(err)
	}
	wantCode(t, ChangePassphrase(t.Context(), s, "", nil), api.BadRequest)
	wantCode(t, ChangePassphrase(t.Context(), env{readOnly{"env"}, "this process"}, fresh, nil), api.BadRequest)
	between := func() error {
		if !opensWith(t, s.dir, passphrase) || !opensWith(t, s.dir, fresh) {
			t.Error("a kill while the new passphrase is written down would lose one of the two")
		}
		return nil
	}
	if err := ChangePassphrase(t.Context(), s, fresh, between); err != nil {
		t.Fatal(err)
	}
	if !opensWith(t, s.dir, fresh) || opensWith(t, s.dir, passphrase) {
		t.Error("the new one does not open it, or the old one does")
	}
	wantGone(t, filepath.Join(s.dir, nextFile))
}

func TestAChangeThatFailsHalfWayLeavesTheOldPassphrase(t *testing.T) {
	s := newFileStore(t, nil)
	mustPut(t, s, "work")
	full := errors.New("the disk is full")
	if err := ChangePassphrase(t.Context(), s, fresh, func() error { return full }); !errors.Is(err, full) {
		t.Fatal(err)
	}
	if !opensWith(t, s.dir, passphrase) || opensWith(t, s.dir, fresh) {
		t.Error("the old one does not open it, or the new one does")
	}
}

func TestWhoHasTheKeystoreOpenKeepsItOpenThroughAChange(t *testing.T) {
	s := newFileStore(t, noPassphraseFile)
	mustPut(t, s, "work")
	other := openFile(Options{FileDir: s.dir, Notify: func(string) {}}).(file)
	for _, store := range []file{s, other} {
		if err := store.Unlock(t.Context(), passphrase); err != nil {
			t.Fatal(err)
		}
	}
	n := countScrypt(other)
	if err := ChangePassphrase(t.Context(), s, fresh, nil); err != nil {
		t.Fatal(err)
	}
	if got, err := other.Get(t.Context(), "work"); err != nil || got != testKey || n.Load() != 0 {
		t.Errorf("%v, %v after %d openings", got, err, n.Load())
	}
	wantCode(t, other.Unlock(t.Context(), passphrase), api.WrongPassphrase)
	other.Lock()
	if err := other.Unlock(t.Context(), fresh); err != nil {
		t.Error(err)
	}
}

// The config names the second passphrase already when a kill comes: the third change begins by that one.
func TestAChangeAfterOneThatWasCutShortLosesNoPassphrase(t *testing.T) {
	s := newFileStore(t, noPassphraseFile)
	mustPut(t, s, "work")
	if err := s.Unlock(t.Context(), passphrase); err != nil {
		t.Fatal(err)
	}
	killed := filepath.Join(t.TempDir(), "keys")
	copyNow := func() error { return errors.Join(os.CopyFS(killed, os.DirFS(s.dir)), os.Chmod(killed, 0o700)) }
	if err := ChangePassphrase(t.Context(), s, fresh, copyNow); err != nil {
		t.Fatal(err)
	}
	again := openFile(Options{FileDir: killed, Notify: func(string) {}}).(file)
	if err := again.Unlock(t.Context(), fresh); err != nil {
		t.Fatal(err)
	}
	err := ChangePassphrase(t.Context(), again, "the third horse", func() error {
		if !opensWith(t, killed, fresh) || !opensWith(t, killed, "the third horse") || opensWith(t, killed, passphrase) {
			t.Error("the second does not open it, or the third, or the first does")
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestARefusedPassphraseIsTriedAgainOnceTheKeystoreHasAnother(t *testing.T) {
	s := newFileStore(t, nil)
	mustPut(t, s, "work")
	other := openFile(Options{FileDir: s.dir, PassphraseFile: s.passphraseFile, Notify: func(string) {}}).(file)
	write(t, s.passphraseFile, fresh.Reveal(), 0o600)
	wantCode(t, other.Probe(t.Context()), api.WrongPassphrase)
	if err := s.Unlock(t.Context(), passphrase); err != nil {
		t.Fatal(err)
	}
	if err := ChangePassphrase(t.Context(), s, fresh, func() error { return other.Probe(t.Context()) }); err != nil {
		t.Errorf("while both open it: %v", err)
	}
}

func TestARandomPassphraseIsMadeOnceAndReplacesNothing(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "new", "passphrase")
	made, err := MakePassphrase(path)
	if err != nil || !isRandom(made) {
		t.Fatalf("%t, %v", isRandom(made), err)
	}
	if read, err := ReadPassphrase(path); err != nil || read != made {
		t.Errorf("it is read as another: %v", err)
	}
	if _, err := MakePassphrase(path); !errors.Is(err, fs.ErrExist) {
		t.Errorf("again: %v", err)
	}
	if err := os.Symlink(filepath.Join(dir, "nowhere"), filepath.Join(dir, "link")); err == nil {
		if _, err := MakePassphrase(filepath.Join(dir, "link")); !errors.Is(err, fs.ErrExist) || disk.IsFile(filepath.Join(dir, "nowhere")) {
			t.Errorf("through a link: %v", err)
		}
	}
	left, err := os.ReadDir(filepath.Dir(path))
	if err != nil || len(left) != 1 {
		t.Errorf("beside it: %v, %v", left, err)
	}
	for _, typed := range []credential.Secret{"", "random-", "correct horse", "random-" + credential.Secret(strings.Repeat("a", 52))} {
		if isRandom(typed) {
			t.Errorf("%q is taken for a random one", typed.Reveal())
		}
	}
}
