package keystore

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"regexp"
	"slices"
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
	o := Options{FileDir: filepath.Join(root, "keystore"), PassphraseFile: filepath.Join(root, "passphrase"),
		Backend: "file"}
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
	s.decrypt = func(encrypted []byte, p credential.Secret) (*age.X25519Identity, error) {
		n.Add(1)
		return decryptIdentity(encrypted, p)
	}
	return &n
}

// mustPut stores testKey. A file store is as open or locked afterwards as before.
func mustPut(t *testing.T, s Store, name string) {
	t.Helper()
	if f, is := s.(file); is {
		s = file{&opener{dir: f.dir, decrypt: decryptIdentity}}
		must(t, s.Unlock(t.Context(), passphrase))
	}
	if err := s.Put(t.Context(), name, testKey); err != nil {
		t.Fatal(err)
	}
}

func TestFileIsLockedUntilUnlockedAndAfterLock(t *testing.T) {
	s := newFileStore(t, noPassphraseFile)
	err := s.Put(t.Context(), "work", testKey)
	wantCode(t, err, api.KeystoreLocked)
	if !strings.Contains(err.Error(), `so key "work" cannot be stored`) {
		t.Error(err)
	}
	mustPut(t, s, "work")
	_, err = s.Get(t.Context(), "work")
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
	if s.last != (result{}) {
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
		s.decrypt = func(encrypted []byte, p credential.Secret) (*age.X25519Identity, error) {
			<-release
			return decryptIdentity(encrypted, p)
		}
		ctx, cancel := context.WithTimeout(t.Context(), keychainTimeout)
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
	s.decrypt = func(encrypted []byte, p credential.Secret) (*age.X25519Identity, error) {
		s.Lock()
		return decryptIdentity(encrypted, p)
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
	for label, text := range map[string]string{"empty": "", "garbage": "garbage", "foreign": string(foreign),
		"cut": string(foreign[:len(foreign)-9])} {
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

// The files of one tcred are read by the next.
func TestFileKeystoreHasTheseFiles(t *testing.T) {
	s := newFileStore(t, nil)
	mustPut(t, s, "work")
	entries, err := os.ReadDir(s.dir)
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	if want := []string{"identity.age", "key.work.age"}; err != nil || !slices.Equal(names, want) {
		t.Errorf("got %q, %v", names, err)
	}
	text, err := os.ReadFile(filepath.Join(s.dir, "identity.age"))
	header := regexp.MustCompile(`^age-encryption.org/v1\n-> scrypt \S+ 4\n`) // 4 is the work factor
	if err != nil || !header.Match(text) {
		t.Errorf("identity.age is %q, %v", text, err)
	}
}

func TestCreateFileAtOnceMakesOneKeystore(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "keystore")
	var made atomic.Int32
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			switch err := CreateFile(dir, passphrase, 1); {
			case err == nil:
				made.Add(1)
			case !strings.Contains(err.Error(), "there is a keystore in "+dir+" already"):
				t.Error(err)
			}
		})
	}
	all.Wait()
	if made.Load() != 1 {
		t.Errorf("%d calls made a keystore", made.Load())
	}
	if err := (file{&opener{dir: dir, decrypt: decryptIdentity}}).Unlock(t.Context(), passphrase); err != nil {
		t.Error(err)
	}
}

func TestCreateFileMakesAPlaceThatIsOursAlone(t *testing.T) {
	parent := filepath.Join(t.TempDir(), "share")
	if err := CreateFile(filepath.Join(parent, "keystore"), passphrase, 1); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(parent); err != nil || ownersExist && info.Mode().Perm() != 0o700 {
		t.Errorf("%v, %v", info.Mode(), err)
	}
}

func TestCreateFileRefusesAWorkFactorThatNobodyCouldOpen(t *testing.T) {
	for _, factor := range []int{-1, 23} {
		if err := CreateFile(filepath.Join(t.TempDir(), "new"), passphrase, factor); err == nil {
			t.Errorf("work factor %d was taken", factor)
		}
	}
}

func TestCreateFileSaysWhatItCannotWrite(t *testing.T) {
	dir := t.TempDir()
	if err := os.MkdirAll(filepath.Join(dir, identityFile, "in the way"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := fillKeystore(dir, passphrase, 1); err == nil {
		t.Errorf("%s was not written, and no error", identityFile)
	}
}

func TestCreateFileNeverReplacesAnything(t *testing.T) {
	s := newFileStore(t, nil)
	err := CreateFile(s.dir, passphrase, 4)
	wantCode(t, err, api.KeystoreFailed)
	if hint := api.AsError(err).Hint; hint != "tcred add stores a key in it" {
		t.Errorf("the hint is %q", hint)
	}
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
	if err != nil || len(entries) != 2 {
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

// recipient.txt had the identity's public half, and was believed.
func TestFileEncryptsToItsOwnIdentityWhateverLiesBesideIt(t *testing.T) {
	s := newFileStore(t, nil)
	mustPut(t, s, "work")
	stranger, err := age.GenerateX25519Identity()
	must(t, err)
	write(t, filepath.Join(s.dir, "recipient.txt"), stranger.Recipient().String()+"\n", 0o600)
	must(t, s.Put(t.Context(), "work", testKey))
	encrypted, err := os.ReadFile(s.path("work"))
	must(t, err)
	if _, err := decrypt(encrypted, stranger); err == nil {
		t.Error("the stranger opens the key")
	}
	if got, err := s.Get(t.Context(), "work"); err != nil || got != testKey {
		t.Errorf("%v, %v", got, err)
	}
}

func TestFileKeepsTheOldKeyWhereTheNewOneDoesNotReadBack(t *testing.T) {
	s := newFileStore(t, nil)
	mustPut(t, s, "work")
	before, err := os.ReadFile(s.path("work"))
	must(t, err)
	identity, err := s.open(t.Context(), "", "")
	must(t, err)
	stranger, err := age.GenerateX25519Identity()
	must(t, err)
	unreadable, err := encrypt("new", stranger.Recipient())
	must(t, err)
	other, err := encrypt("another", identity.Recipient())
	must(t, err)
	for _, encrypted := range [][]byte{unreadable, other, nil} {
		if err := putChecked(s.path("work"), encrypted, identity, "new"); err == nil {
			t.Error("stored")
		}
	}
	if after, err := os.ReadFile(s.path("work")); err != nil || !bytes.Equal(after, before) {
		t.Errorf("the old key is gone: %v", err)
	}
	if entries, err := os.ReadDir(s.dir); err != nil || len(entries) != 2 {
		t.Errorf("%v, %v", entries, err)
	}
}
