package cache

import (
	"bytes"
	"encoding/base64"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/tcred/tcred/credential"
)

func TestWhatIsPutIsGotAfterARestart(t *testing.T) {
	d, _ := newTest(t)
	wantMiss(t, d, testKey, mustSealer(t, testSecret))
	mustPut(t, d, testKey, mustSealer(t, testSecret), testCredential(1))
	mustPut(t, d, KeyOf("another"), mustSealer(t, testSecret), testCredential(2))

	again, warned := openTest(d.path)
	s := mustSealer(t, testSecret)
	wantHit(t, again, testKey, s, testCredential(1))
	wantHit(t, again, KeyOf("another"), s, testCredential(2))
	warned.want(t, 0)
}

func TestNothingIsOpenToOthersAndNoSecretIsInPlaintext(t *testing.T) {
	d, _ := newTest(t)
	c := testCredential(1)
	mustPut(t, d, testKey, mustSealer(t, testSecret), c)
	for _, name := range append(files(t, d, ""), ".") {
		info, err := os.Stat(filepath.Join(d.path, name))
		if err != nil || info.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s is open to others: %v, %v", name, info.Mode(), err)
		}
	}
	raw, err := os.ReadFile(d.file(testKey, entrySuffix))
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
	s := mustSealer(t, testSecret)
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

// Whatever lies in the place of an entry is a miss, with one warning, and does not stand in the way of the next one.
func TestAnUnusableEntryIsAMissAndReplaced(t *testing.T) {
	for name, damage := range map[string]func(t *testing.T, d *Dir, path string){
		"empty":   func(t *testing.T, _ *Dir, path string) { mustWrite(t, path, nil) },
		"garbage": func(t *testing.T, _ *Dir, path string) { mustWrite(t, path, []byte("{}\n")) },
		"huge":    func(t *testing.T, _ *Dir, path string) { mustWrite(t, path, make([]byte, maxEntry+1)) },
		"link": func(t *testing.T, _ *Dir, path string) {
			mustDo(t, os.Rename(path, path+"x"), os.Symlink(path+"x", path))
		},
		"no rights": func(t *testing.T, _ *Dir, path string) {
			mustWrite(t, path, []byte("x"))
			mustDo(t, os.Chmod(path, 0))
		},
		"another secret's": func(t *testing.T, d *Dir, _ string) {
			mustPut(t, d, testKey, mustSealer(t, "another-permanent-key"), testCredential(9))
		},
		"another entry's file": func(t *testing.T, d *Dir, path string) {
			other := KeyOf("another")
			mustPut(t, d, other, mustSealer(t, testSecret), testCredential(9))
			mustDo(t, os.Rename(d.file(other, entrySuffix), path))
		},
	} {
		t.Run(name, func(t *testing.T) {
			d, warned := newTest(t)
			s := mustSealer(t, testSecret)
			mustPut(t, d, testKey, s, testCredential(1))
			for range 3 {
				damage(t, d, d.file(testKey, entrySuffix))
				wantMiss(t, d, testKey, s)
				wantMiss(t, d, testKey, s)
				warned.want(t, 1)
				mustPut(t, d, testKey, s, testCredential(2))
				wantHit(t, d, testKey, s, testCredential(2))
			}
		})
	}
}

func TestAnEntryOfANewerVersionIsLeftAlone(t *testing.T) {
	d, warned := newTest(t)
	s := mustSealer(t, testSecret)
	mustDo(t, d.make())
	path := d.file(testKey, entrySuffix)
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

// deleted is the error of a deletion alone.
func deleted[T any](_ T, err error) error { return err }

func TestDeleteRemovesOneAndDeleteAllEveryEntry(t *testing.T) {
	d, _ := newTest(t)
	if err := errors.Join(deleted(d.Delete(t.Context(), testKey)), deleted(d.DeleteAll(t.Context()))); err != nil {
		t.Errorf("deleting from a directory that does not exist: %v", err)
	}
	s := mustSealer(t, testSecret)
	keys := []Key{KeyOf("1"), KeyOf("2"), KeyOf("3")}
	for i, key := range keys {
		mustPut(t, d, key, s, testCredential(i))
	}
	mustWrite(t, filepath.Join(d.path, "somebody-elses.cred"), nil)
	when, err := d.Delete(t.Context(), keys[0])
	if err != nil || !when.Equal(testCredential(0).Expires.Truncate(time.Second)) {
		t.Errorf("deleted what expires at %v, %v", when, err)
	}
	mustDo(t, deleted(d.Delete(t.Context(), keys[0])))
	wantMiss(t, d, keys[0], s)
	wantHit(t, d, keys[1], s, testCredential(1))
	mustWrite(t, d.file(keys[0], entrySuffix), []byte("damaged"))
	if when, err := d.DeleteAll(t.Context()); err != nil || len(when) != 2 || when[0].IsZero() || when[1].IsZero() {
		t.Errorf("deleted what expires at %v, %v", when, err)
	}
	if left := files(t, d, entrySuffix); len(left) != 1 {
		t.Errorf("left: %v, want only the file that is not ours", left)
	}
	mustPut(t, d, testKey, s, testCredential(1)) // s is as good as before
	wantHit(t, d, testKey, s, testCredential(1))
	mustDo(t, os.Remove(filepath.Join(d.path, "somebody-elses.cred")), deleted(d.DeleteAll(t.Context())))
	if _, err := os.Lstat(d.path); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the directory of nothing but ours is still there: %v", err)
	}
}

func TestDeleteAllRemovesWhatKilledWritersLeftAndNoLivingOnes(t *testing.T) {
	d, warned := newTest(t)
	killed := KeyOf("killed")
	unlockKilled, err := d.Lock(t.Context(), killed)
	mustDo(t, err)
	unlockKilled()
	unlock, err := d.Lock(t.Context(), testKey)
	mustDo(t, err)
	for _, key := range []Key{testKey, killed, KeyOf("without a lock file")} {
		mustWrite(t, d.file(key, tempSuffix), []byte("half"))
	}
	mustDo(t, deleted(d.DeleteAll(t.Context())))
	if left := files(t, d, ""); len(left) != 2 || len(files(t, d, string(testKey))) != 2 {
		t.Errorf("left: %v, want the lock that is held and what its holder writes", left)
	}
	unlock()
	mustDo(t, deleted(d.DeleteAll(t.Context())))
	if _, err := os.Lstat(d.path); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the directory is still there: %v", err)
	}
	warned.want(t, 0)
}

func TestAKeyIsNoPath(t *testing.T) {
	d, _ := newTest(t)
	s := mustSealer(t, testSecret)
	mustDo(t, d.make())
	for _, key := range []Key{"", "../x", "name", Key(strings.ToUpper(string(testKey))), testKey + "00"} {
		entry, err := s.seal(key, testCredential(1))
		mustDo(t, err)
		mustWrite(t, d.file(key, entrySuffix), entry)
		wantMiss(t, d, key, s)
		_, lockErr := d.Lock(t.Context(), key)
		putErr, deleteErr := d.Put(t.Context(), key, s, testCredential(1)), deleted(d.Delete(t.Context(), key))
		for _, err := range []error{putErr, deleteErr, lockErr} {
			if err == nil {
				t.Errorf("%q was taken for a key", key)
			}
		}
	}
}

func TestWarningsAreOnceEachAndRememberedWithinBounds(t *testing.T) {
	d, warned := newTest(t)
	for n := range 3 * maxWarned {
		d.warnOnce("kind", strconv.Itoa(n), nil)
		d.warnOnce("kind", strconv.Itoa(n), nil)
		if len(d.warned) > maxWarned {
			t.Fatalf("%d are remembered", len(d.warned))
		}
	}
	d.warnOnce("another kind", strconv.Itoa(3*maxWarned-1), nil)
	warned.want(t, 3*maxWarned+1)
}

func TestAFileThatCannotBeRemovedIsWarnedOf(t *testing.T) {
	d, warned := newTest(t)
	if d.remove(d.path + "/.") { // which no system removes by that name
		t.Error("removed")
	}
	warned.want(t, 1)
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
