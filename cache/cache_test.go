package cache

import (
	"bytes"
	"encoding/base64"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/tcred/tcred/credential"
)

func TestWhatIsPutIsGotAfterARestart(t *testing.T) {
	d, _ := newTest(t)
	wantMiss(t, d, testKey, mustSealer(t, d, testSecret))
	mustPut(t, d, testKey, mustSealer(t, d, testSecret), testCredential(1))
	mustPut(t, d, KeyOf("another"), mustSealer(t, d, testSecret), testCredential(2))

	again, warned := openTest(d.path)
	s := mustSealer(t, again, testSecret)
	wantHit(t, again, testKey, s, testCredential(1))
	wantHit(t, again, KeyOf("another"), s, testCredential(2))
	warned.want(t, 0)
}

func TestNothingIsOpenToOthersAndNoSecretIsInPlaintext(t *testing.T) {
	d, _ := newTest(t)
	c := testCredential(1)
	mustPut(t, d, testKey, mustSealer(t, d, testSecret), c)
	for _, name := range append(files(t, d, ""), ".") {
		info, err := os.Stat(filepath.Join(d.path, name))
		if err != nil || info.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s is open to others: %v, %v", name, info.Mode(), err)
		}
	}
	raw, err := os.ReadFile(d.file(string(testKey), entrySuffix))
	if err != nil {
		t.Fatal(err)
	}
	for _, secret := range []string{c.SecretID, c.SecretKey.Reveal(), c.Token.Reveal(), testSecret.Reveal()} {
		encoded := base64.StdEncoding.EncodeToString([]byte(secret))
		if bytes.Contains(raw, []byte(secret)) || bytes.Contains(raw, []byte(encoded)) {
			t.Error("the entry shows a secret")
		}
	}
}

func TestAHalfCredentialIsNotCached(t *testing.T) {
	d, _ := newTest(t)
	s := mustSealer(t, d, testSecret)
	c := testCredential(1)
	c.Token = ""
	if err := d.Put(t.Context(), testKey, s, c); err == nil {
		t.Error("a credential without a token was cached")
	}
	c.Token = credential.Secret(strings.Repeat("t", maxEntry))
	if err := d.Put(t.Context(), testKey, s, c); err == nil {
		t.Error("an entry that Get would refuse was cached")
	}
	wantMiss(t, d, testKey, s)
}

// Whatever lies in the place of an entry is a miss, with one warning; it is kept aside and does not stand in the way.
func TestAnUnusableEntryIsAMissMovedAsideAndReplaced(t *testing.T) {
	for name, spoil := range map[string]func(t *testing.T, d *Dir, path string){
		"empty":     func(t *testing.T, _ *Dir, path string) { mustWrite(t, path, nil) },
		"garbage":   func(t *testing.T, _ *Dir, path string) { mustWrite(t, path, []byte("{}\n")) },
		"huge":      func(t *testing.T, _ *Dir, path string) { mustWrite(t, path, make([]byte, maxEntry+1)) },
		"directory": func(t *testing.T, _ *Dir, path string) { mustDo(t, os.Remove(path), os.MkdirAll(path+"/x", 0o700)) },
		"link": func(t *testing.T, _ *Dir, path string) {
			mustDo(t, os.Rename(path, path+"x"), os.Symlink(path+"x", path))
		},
		"no rights": func(t *testing.T, _ *Dir, path string) { mustWrite(t, path, []byte("x")); mustDo(t, os.Chmod(path, 0)) },
		"another secret's": func(t *testing.T, d *Dir, _ string) {
			mustPut(t, d, testKey, mustSealer(t, d, "another-permanent-key"), testCredential(9))
		},
		"another entry's file": func(t *testing.T, d *Dir, path string) {
			other := KeyOf("another")
			mustPut(t, d, other, mustSealer(t, d, testSecret), testCredential(9))
			mustDo(t, os.Rename(d.file(string(other), entrySuffix), path))
		},
	} {
		t.Run(name, func(t *testing.T) {
			d, warned := newTest(t)
			s := mustSealer(t, d, testSecret)
			mustPut(t, d, testKey, s, testCredential(1))
			for range 3 {
				spoil(t, d, d.file(string(testKey), entrySuffix))
				wantMiss(t, d, testKey, s)
				wantMiss(t, d, testKey, s)
				warned.want(t, 1)
				if aside := files(t, d, damagedSuffix); len(aside) != 1 {
					t.Errorf("moved aside: %v, want one file", aside)
				}
				mustPut(t, d, testKey, s, testCredential(2))
				wantHit(t, d, testKey, s, testCredential(2))
			}
		})
	}
}

func TestAnEntryOfANewerVersionIsLeftAlone(t *testing.T) {
	d, warned := newTest(t)
	s := mustSealer(t, d, testSecret)
	path := d.file(string(testKey), entrySuffix)
	newer := append(header{version + 1, testCredential(1).Expires.Unix()}.bytes(), "what only that version knows"...)
	mustWrite(t, path, newer)

	wantMiss(t, d, testKey, s)
	if err := d.Put(t.Context(), testKey, s, testCredential(1)); !errors.Is(err, errNewerEntry) {
		t.Errorf("Put: %v, want errNewerEntry", err)
	}
	if raw, err := os.ReadFile(path); err != nil || !bytes.Equal(raw, newer) {
		t.Errorf("the newer entry did not stay as it was: %v", err)
	}
	warned.want(t, 0)
}

// A file that replaced the damaged one meanwhile is somebody's good credential.
func TestOnlyTheFileThatWasReadIsMovedAside(t *testing.T) {
	d, _ := newTest(t)
	s := mustSealer(t, d, testSecret)
	path := d.file(string(testKey), entrySuffix)
	mustWrite(t, path, []byte("damaged"))
	_, damaged, _ := readFile(path)
	mustPut(t, d, testKey, s, testCredential(1))
	d.moveAside(string(testKey), entrySuffix, damaged)
	wantHit(t, d, testKey, s, testCredential(1))
}

// deleted is the error of a deletion alone.
func deleted[T any](_ T, err error) error { return err }

func TestDeleteRemovesOneAndDeleteAllEveryEntry(t *testing.T) {
	d, _ := newTest(t)
	if err := errors.Join(deleted(d.Delete(testKey)), deleted(d.DeleteAll())); err != nil {
		t.Errorf("deleting from a directory that does not exist: %v", err)
	}
	s := mustSealer(t, d, testSecret)
	keys := []Key{KeyOf("1"), KeyOf("2"), KeyOf("3")}
	for i, key := range keys {
		mustPut(t, d, key, s, testCredential(i))
	}
	mustWrite(t, filepath.Join(d.path, "somebody-elses.cred"), nil)
	if when, err := d.Delete(keys[0]); err != nil || !when.Equal(testCredential(0).Expires.Truncate(time.Second)) {
		t.Errorf("deleted what expires at %v, %v", when, err)
	}
	mustDo(t, deleted(d.Delete(keys[0])))
	wantMiss(t, d, keys[0], s)
	wantHit(t, d, keys[1], s, testCredential(1))
	mustWrite(t, d.file(string(keys[1]), damagedSuffix), nil)
	mustDo(t, deleted(d.DeleteAll()))
	if left := files(t, d, entrySuffix, damagedSuffix); len(left) != 1 {
		t.Errorf("left: %v, want only the file that is not ours", left)
	}
	mustPut(t, d, testKey, s, testCredential(1)) // the salt comes back: s is as good as before
	wantHit(t, d, testKey, s, testCredential(1))
	mustDo(t, os.Remove(filepath.Join(d.path, "somebody-elses.cred")), deleted(d.DeleteAll()))
	if _, err := os.Lstat(d.path); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the directory of nothing but ours is still there: %v", err)
	}
}

func TestDeleteAllRemovesWhatKilledWritersLeftAndNoLivingOnes(t *testing.T) {
	d, _ := newTest(t)
	unlock, err := d.Lock(t.Context(), testKey)
	mustDo(t, err)
	for _, name := range []string{string(testKey), string(KeyOf("killed")), saltName} {
		mustWrite(t, d.file(name, tempSuffix+"123"), []byte("half"))
	}
	mustDo(t, deleted(d.DeleteAll()))
	if left := files(t, d, ""); len(left) != 2 || len(files(t, d, string(testKey))) != 2 {
		t.Errorf("left: %v, want the lock that is held and what its holder writes", left)
	}
	unlock()
	mustDo(t, deleted(d.DeleteAll()))
	if _, err := os.Lstat(d.path); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the directory is still there: %v", err)
	}
}

func TestAKeyIsNoPath(t *testing.T) {
	d, _ := newTest(t)
	s := mustSealer(t, d, testSecret)
	for _, key := range []Key{"", "../x", "salt", Key(strings.ToUpper(string(testKey))), testKey + "00"} {
		wantMiss(t, d, key, s)
		_, lockErr := d.Lock(t.Context(), key)
		for _, err := range []error{d.Put(t.Context(), key, s, testCredential(1)), deleted(d.Delete(key)), lockErr} {
			if err == nil {
				t.Errorf("%q was taken for a key", key)
			}
		}
	}
}

func mustWrite(t testing.TB, path string, data []byte) {
	t.Helper()
	mustDo(t, os.WriteFile(path, data, 0o600))
}

func mustDo(t testing.TB, errs ...error) {
	t.Helper()
	if err := errors.Join(errs...); err != nil {
		t.Fatal(err)
	}
}

func BenchmarkGet(b *testing.B) {
	d, _ := openTest(b.TempDir())
	mustDo(b, os.Chmod(d.path, 0o700))
	s := mustSealer(b, d, testSecret)
	mustPut(b, d, testKey, s, testCredential(1))
	for b.Loop() {
		if _, ok := d.Get(testKey, s); !ok {
			b.Fatal("a miss")
		}
	}
}

func BenchmarkPut(b *testing.B) {
	d, _ := openTest(b.TempDir())
	mustDo(b, os.Chmod(d.path, 0o700))
	s := mustSealer(b, d, testSecret)
	for b.Loop() {
		mustPut(b, d, testKey, s, testCredential(1))
	}
}
