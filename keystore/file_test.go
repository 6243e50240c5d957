package keystore

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"filippo.io/age"

	"github.com/tcred/tcred/api"
	"github.com/tcred/tcred/credential"
)

const passphrase = credential.Secret("correct horse battery staple")

// newFileStore makes a keystore and opens it by a passphrase file, or as edit changes the options.
func newFileStore(t *testing.T, edit func(*Options)) file {
	t.Helper()
	root := t.TempDir()
	o := Options{FileDir: filepath.Join(root, "keystore"), PassphraseFile: filepath.Join(root, "passphrase"), Backend: "file"}
	if err := CreateFile(o.FileDir, passphrase, 4); err != nil {
		t.Fatal(err)
	}
	write(t, o.PassphraseFile, passphrase.Reveal()+"\n", 0o600)
	t.Setenv(EnvCredentials, "")
	if edit != nil {
		edit(&o)
	}
	s, err := Open(o)
	if err != nil {
		t.Fatal(err)
	}
	return s.(file)
}

func noPassphraseFile(o *Options) { o.PassphraseFile = "" }

// countScrypt counts how often s pays for an opening.
func countScrypt(s file) *atomic.Int32 {
	var n atomic.Int32
	s.unwrap = func(sealed []byte, p credential.Secret) (*age.X25519Identity, error) {
		n.Add(1)
		return unwrapIdentity(sealed, p)
	}
	return &n
}

func mustPut(t *testing.T, s Store, name string) {
	t.Helper()
	if err := s.Put(t.Context(), name, testKey); err != nil {
		t.Fatal(err)
	}
}

func TestFileIsLockedUntilUnlockedAndAfterLock(t *testing.T) {
	s := newFileStore(t, noPassphraseFile)
	mustPut(t, s, "work") // needs no passphrase
	_, err := s.Get(t.Context(), "work")
	wantCode(t, err, api.KeystoreLocked)
	if !strings.Contains(err.Error(), `so key "work" cannot be read`) {
		t.Error(err)
	}
	wantCode(t, s.Probe(t.Context()), api.KeystoreLocked)
	wantCode(t, s.Unlock(t.Context(), "wrong"), api.WrongPassphrase)
	if err := s.Unlock(t.Context(), passphrase); err != nil {
		t.Fatal(err)
	}
	if got, err := s.Get(t.Context(), "work"); err != nil || got != testKey {
		t.Errorf("got %v, %v", got, err)
	}
	s.Lock()
	_, err = s.Get(t.Context(), "work")
	wantCode(t, err, api.KeystoreLocked)
}

func TestFileFindsItsPassphraseAmongSystemdCredentials(t *testing.T) {
	s := newFileStore(t, noPassphraseFile)
	mustPut(t, s, "work")
	credentials := t.TempDir()
	t.Setenv(EnvCredentials, credentials)
	_, err := s.Get(t.Context(), "work")
	wantCode(t, err, api.KeystoreLocked)
	write(t, filepath.Join(credentials, "tcred.passphrase"), passphrase.Reveal(), 0o440)
	if _, err := s.Get(t.Context(), "work"); err != nil {
		t.Error(err)
	}
}

func TestFilePaysForScryptOnce(t *testing.T) {
	s := newFileStore(t, nil)
	mustPut(t, s, "work")
	n := countScrypt(s)
	var all sync.WaitGroup
	for range 20 {
		all.Go(func() {
			if _, err := s.Get(t.Context(), "work"); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if err := os.Remove(s.passphraseFile); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Get(t.Context(), "work"); err != nil {
		t.Error(err)
	}
	if n.Load() != 1 {
		t.Errorf("scrypt ran %d times", n.Load())
	}
}

func TestFileRemembersARefusedPassphraseUntilItChanges(t *testing.T) {
	s := newFileStore(t, nil)
	mustPut(t, s, "work")
	write(t, s.passphraseFile, "wrong", 0o600)
	n := countScrypt(s)
	for range 3 {
		_, err := s.Get(t.Context(), "work")
		wantCode(t, err, api.WrongPassphrase)
	}
	if n.Load() != 1 {
		t.Errorf("scrypt ran %d times for one wrong passphrase", n.Load())
	}
	write(t, s.passphraseFile, passphrase.Reveal(), 0o600)
	if _, err := s.Get(t.Context(), "work"); err != nil {
		t.Errorf("cured, but %v", err)
	}
}

func TestFileThatIsOpenChecksAPassphraseAllTheSame(t *testing.T) {
	s := newFileStore(t, noPassphraseFile)
	mustPut(t, s, "work")
	n := countScrypt(s)
	for _, p := range []credential.Secret{passphrase, "", passphrase} {
		if err := s.Unlock(t.Context(), p); err != nil {
			t.Fatal(err)
		}
		wantCode(t, s.Unlock(t.Context(), "wrong"), api.WrongPassphrase)
		if _, err := s.Get(t.Context(), "work"); err != nil {
			t.Errorf("no longer open: %v", err)
		}
	}
	if n.Load() != 5 {
		t.Errorf("scrypt ran %d times for 5 passphrases", n.Load())
	}
}

func TestFileKeepsNoMistypedPassphrase(t *testing.T) {
	s := newFileStore(t, noPassphraseFile)
	wantCode(t, s.Unlock(t.Context(), "almost right"), api.WrongPassphrase)
	if s.last != (attempt{}) {
		t.Error("something of it is kept")
	}
}

func TestFileOpensAKeystoreThatTookTheOldOnesPlace(t *testing.T) {
	s := newFileStore(t, nil)
	mustPut(t, s, "work")
	if _, err := s.Get(t.Context(), "work"); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(s.dir, s.dir+".old"); err != nil {
		t.Fatal(err)
	}
	_, err := s.Get(t.Context(), "work")
	wantCode(t, err, api.KeystoreAbsent)
	if err := CreateFile(s.dir, passphrase, 4); err != nil {
		t.Fatal(err)
	}
	mustPut(t, s, "work")
	if _, err := s.Get(t.Context(), "work"); err != nil {
		t.Error(err)
	}
}

func TestFileCallerMayGiveUpWhileTheOpeningGoesOn(t *testing.T) {
	s := newFileStore(t, nil)
	mustPut(t, s, "work")
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		s.unwrap = func(sealed []byte, p credential.Secret) (*age.X25519Identity, error) {
			<-release
			return unwrapIdentity(sealed, p)
		}
		ctx, cancel := context.WithTimeout(t.Context(), keychainBudget)
		defer cancel()
		_, err := s.Get(ctx, "work")
		wantCode(t, err, api.KeystoreTimeout)
		ctx, cancel = context.WithCancel(t.Context())
		cancel()
		if _, err := s.Get(ctx, "work"); ctx.Err() == nil || err == nil {
			t.Errorf("cancelled, but %v", err)
		}
		close(release)
		synctest.Wait()
		s.passphraseFile = "/nonexistent" // not needed any more
		if _, err := s.Get(t.Context(), "work"); err != nil {
			t.Error(err)
		}
	})
}

func TestFileLockedDuringAnOpeningStaysLocked(t *testing.T) {
	s := newFileStore(t, noPassphraseFile)
	s.unwrap = func(sealed []byte, p credential.Secret) (*age.X25519Identity, error) {
		s.Lock()
		return unwrapIdentity(sealed, p)
	}
	if err := s.Unlock(t.Context(), passphrase); err != nil {
		t.Fatal(err)
	}
	wantCode(t, s.Probe(t.Context()), api.KeystoreLocked)
}

func TestFileNamesWhatIsWrongWithAPassphraseFile(t *testing.T) {
	for want, spoil := range map[string]func(path string) error{
		"no such file":        os.Remove,
		"is empty":            func(p string) error { return os.WriteFile(p, []byte("\n"), 0o600) },
		"open to other users": func(p string) error { return os.Chmod(p, 0o640) },
		"not a file":          func(p string) error { os.Remove(p); return os.Mkdir(p, 0o700) },
		"longer than":         func(p string) error { return os.WriteFile(p, make([]byte, maxFile+1), 0o600) },
		"another user":        func(p string) error { return os.Chown(p, 65534, 65534) },
		"permission denied":   func(p string) error { return os.Chmod(p, 0) },
	} {
		t.Run(want, func(t *testing.T) {
			root := os.Geteuid() == 0
			if !ownersExist || root && want == "permission denied" || !root && want == "another user" {
				t.Skip("cannot be made for this user")
			}
			s := newFileStore(t, nil)
			mustPut(t, s, "work")
			if err := spoil(s.passphraseFile); err != nil {
				t.Fatal(err)
			}
			_, err := s.Get(t.Context(), "work")
			wantCode(t, err, api.KeystoreFailed)
			if !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), s.passphraseFile) {
				t.Error(err)
			}
		})
	}
}

func TestFileWarnsOnceOfAPassphraseBesideIt(t *testing.T) {
	var said []string
	s := newFileStore(t, func(o *Options) {
		o.PassphraseFile = filepath.Join(o.FileDir, "passphrase")
		o.Notify = func(line string) { said = append(said, line) }
	})
	write(t, s.passphraseFile, passphrase.Reveal(), 0o600)
	for range 2 {
		if err := s.Probe(t.Context()); err != nil {
			t.Fatal(err)
		}
		s.Lock()
	}
	if len(said) != 1 || !strings.Contains(said[0], s.passphraseFile) {
		t.Errorf("said %q", said)
	}
}

func TestFileThatIsGarbageIsNamed(t *testing.T) {
	other := newFileStore(t, nil)
	mustPut(t, other, "work")
	foreign, err := os.ReadFile(other.path("work"))
	if err != nil {
		t.Fatal(err)
	}
	for label, text := range map[string]string{"empty": "", "garbage": "garbage", "foreign": string(foreign), "cut": string(foreign[:len(foreign)-9])} {
		t.Run(label, func(t *testing.T) {
			s := newFileStore(t, nil)
			write(t, s.path("work"), text, 0o600)
			_, err := s.Get(t.Context(), "work")
			wantCode(t, err, api.KeystoreFailed)
			if !strings.Contains(err.Error(), s.path("work")) {
				t.Error(err)
			}
		})
	}
	t.Run("identity", func(t *testing.T) {
		s := newFileStore(t, nil)
		mustPut(t, s, "work")
		write(t, filepath.Join(s.dir, identityFile), "garbage", 0o600)
		_, err := s.Get(t.Context(), "work")
		wantCode(t, err, api.KeystoreFailed)
		if !strings.Contains(err.Error(), identityFile) {
			t.Error(err)
		}
	})
}

func TestFileDirectoryMustBeOursAlone(t *testing.T) {
	if !ownersExist {
		t.Skip("files have no modes here")
	}
	s := newFileStore(t, nil)
	if err := os.Chmod(s.dir, 0o750); err != nil {
		t.Fatal(err)
	}
	wantCode(t, s.Put(t.Context(), "work", testKey), api.KeystoreFailed)
	if err := os.Rename(s.dir, s.dir+".real"); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(s.dir+".real", s.dir); err != nil {
		t.Fatal(err)
	}
	wantCode(t, s.Probe(t.Context()), api.KeystoreFailed)
}

func TestCreateFileNeverReplacesAnything(t *testing.T) {
	s := newFileStore(t, nil)
	wantCode(t, CreateFile(s.dir, passphrase, 4), api.KeystoreFailed)
	occupied := t.TempDir()
	write(t, filepath.Join(occupied, "theirs"), "x", 0o600)
	wantCode(t, CreateFile(occupied, passphrase, 4), api.KeystoreFailed)
	path := filepath.Join(t.TempDir(), "a file")
	write(t, path, "x", 0o600)
	wantCode(t, CreateFile(path, passphrase, 4), api.KeystoreFailed)
	if data, err := os.ReadFile(path); err != nil || string(data) != "x" {
		t.Errorf("%q, %v", data, err)
	}
	wantCode(t, CreateFile(filepath.Join(t.TempDir(), "new"), "", 4), api.BadRequest)
	if err := CreateFile(t.TempDir(), passphrase, 4); err != nil {
		t.Errorf("in an empty directory: %v", err)
	}
}

func TestFileOfTheOldCostStillOpens(t *testing.T) {
	if testing.Short() {
		t.Skip("takes 256 MiB and a second or two")
	}
	const old = 18 // age's default, which keystores had at first
	dir := filepath.Join(t.TempDir(), "keys")
	if err := CreateFile(dir, passphrase, old); err != nil {
		t.Fatal(err)
	}
	s, err := Open(Options{Backend: "file", FileDir: dir})
	if err == nil {
		err = s.Unlock(t.Context(), passphrase)
	}
	if err != nil {
		t.Error(err)
	}
}

func TestFileKeystoreHoldsNoSecretInPlaintext(t *testing.T) {
	s := newFileStore(t, nil)
	mustPut(t, s, "work")
	entries, err := os.ReadDir(s.dir)
	if err != nil || len(entries) != 3 {
		t.Fatalf("%v, %v", entries, err)
	}
	for _, e := range entries {
		data, err := os.ReadFile(filepath.Join(s.dir, e.Name()))
		if err != nil {
			t.Fatal(err)
		}
		for _, secret := range []string{canary, testKey.ID, passphrase.Reveal(), "AGE-SECRET-KEY"} {
			if bytes.Contains(data, []byte(secret)) {
				t.Errorf("%s holds a secret in plaintext", e.Name())
			}
		}
		if info, err := e.Info(); err != nil || ownersExist && info.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v, %v", e.Name(), info.Mode(), err)
		}
	}
}
