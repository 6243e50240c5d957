package cache

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"
)

func TestSweepRemovesWhatIsOfNoMoreUse(t *testing.T) {
	d, warned := newTest(t)
	s := mustSealer(t, testSecret)
	live, dead := KeyOf("live"), KeyOf("dead")
	c := testCredential(1)
	now := c.Expires.Add(expiredKept + time.Minute)
	mustPut(t, d, dead, s, c)
	c.Expires = now.Add(time.Minute)
	mustPut(t, d, live, s, c)

	old := now.Add(-damagedKept - time.Minute)
	write := func(key Key, suffix string, modified time.Time) {
		mustWrite(t, d.file(key, suffix), []byte("x"))
		mustDo(t, os.Chtimes(d.file(key, suffix), modified, modified))
	}
	write(live, lockSuffix, old)
	write(live, tempSuffix, now)
	write(dead, lockSuffix, old)
	write(KeyOf("orphan"), lockSuffix, old)
	write(KeyOf("damaged"), entrySuffix, now)
	write(KeyOf("forgotten"), entrySuffix, old)
	for key, modified := range map[Key]time.Time{KeyOf("old directory"): old, KeyOf("new directory"): now} {
		path := d.file(key, entrySuffix)
		mustDo(t, os.MkdirAll(path+"/x", 0o700), os.Chtimes(path, modified, modified))
	}
	mustWrite(t, filepath.Join(d.path, "somebody-elses.tmp"), nil)
	mustDo(t, os.Mkdir(filepath.Join(d.path, "run"), 0o700))

	d.Sweep(now)
	want := []string{
		"run", "somebody-elses.tmp", string(live) + entrySuffix,
		string(KeyOf("damaged")) + entrySuffix, string(KeyOf("new directory")) + entrySuffix,
	}
	for _, key := range []Key{live, dead, KeyOf("orphan"), KeyOf("forgotten"), KeyOf("old directory")} {
		want = append(want, string(key)+lockSuffix)
	}
	slices.Sort(want)
	if left := files(t, d, ""); !slices.Equal(left, want) {
		t.Errorf("left:\n%q, want\n%q", left, want)
	}
	wantHit(t, d, live, s, c)
	warned.want(t, 0)
}

func TestSweepKeepsAnExpiredEntryForAnHourAndANewerVersionForADay(t *testing.T) {
	d, _ := newTest(t)
	expires := testCredential(1).Expires
	mustPut(t, d, KeyOf("ours"), mustSealer(t, testSecret), testCredential(1))
	mustWrite(t, d.file(KeyOf("newer"), entrySuffix), header{version + 1, expires.Unix()}.bytes())
	for _, step := range []struct {
		after time.Duration
		left  int
	}{{time.Hour, 2}, {time.Hour + time.Second, 1}, {24 * time.Hour, 1}, {24*time.Hour + time.Second, 0}} {
		d.Sweep(expires.Add(step.after))
		if left := files(t, d, entrySuffix); len(left) != step.left {
			t.Errorf("%v after expiry: left %v, want %d", step.after, left, step.left)
		}
	}
}

// An entry that was renewed after a sweeper looked is of use again.
func TestSweepLooksAgainOnceItHasTheLock(t *testing.T) {
	d, _ := newTest(t)
	s, c := mustSealer(t, testSecret), testCredential(1)
	now := c.Expires.Add(expiredKept + time.Minute)
	mustPut(t, d, testKey, s, c)
	if !useless(d.file(testKey, entrySuffix), now) {
		t.Fatal("an expired entry is of use")
	}
	c.Expires = now.Add(time.Hour)
	mustPut(t, d, testKey, s, c)
	d.sweepFile(file{testKey, entrySuffix}, now)
	wantHit(t, d, testKey, s, c)
}

// The holder of a lock may be writing.
func TestSweepLeavesAloneWhatIsLocked(t *testing.T) {
	d, _ := newTest(t)
	unlock, err := d.Lock(t.Context(), testKey)
	mustDo(t, err)
	mustPut(t, d, testKey, mustSealer(t, testSecret), testCredential(1))
	mustWrite(t, d.file(testKey, tempSuffix), nil)
	later := testCredential(1).Expires.Add(24 * time.Hour)
	if d.Sweep(later); len(files(t, d, string(testKey))) != 3 {
		t.Errorf("left of three files: %v", files(t, d, string(testKey)))
	}
	unlock()
	if d.Sweep(later); len(files(t, d, string(testKey))) != 1 {
		t.Errorf("left once unlocked: %v, want the lock file", files(t, d, string(testKey)))
	}
}

// A directory where the lock file would be stands for a file system without locks.
func TestWithoutLocksSweepRemovesWhatIsExpiredAndTemporaryFilesAfter10Minutes(t *testing.T) {
	d, _ := newTest(t)
	s := mustSealer(t, testSecret)
	mustPut(t, d, testKey, s, testCredential(1))
	mustDo(t, os.Mkdir(d.file(testKey, lockSuffix), 0o700))
	if _, err := d.Lock(t.Context(), testKey); !errors.Is(err, errNoLock) {
		t.Fatalf("Lock: %v, want errNoLock", err)
	}
	mustWrite(t, d.file(testKey, tempSuffix), nil)
	written := testCredential(1).Issued
	mustDo(t, os.Chtimes(d.file(testKey, tempSuffix), written, written))

	d.Sweep(written.Add(10 * time.Minute))
	if err := d.Put(t.Context(), testKey, s, testCredential(2)); err == nil {
		t.Error("a temporary file that may be a living writer's is gone")
	}
	d.Sweep(written.Add(10*time.Minute + time.Second))
	mustPut(t, d, testKey, s, testCredential(2))
	d.Sweep(testCredential(2).Expires.Add(expiredKept + time.Second))
	wantMiss(t, d, testKey, s)
}
