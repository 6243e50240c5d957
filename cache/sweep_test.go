package cache

import (
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"
)

func TestSweepRemovesWhatIsOfNoMoreUse(t *testing.T) {
	d, warned := newTest(t)
	s := mustSealer(t, d, testSecret)
	live, dead := KeyOf("live"), KeyOf("dead")
	c := testCredential(1)
	now := c.Expires.Add(expiredKept + time.Minute)
	mustPut(t, d, dead, s, c)
	c.Expires = now.Add(time.Minute)
	mustPut(t, d, live, s, c)

	old := now.Add(-damagedKept - time.Minute)
	write := func(key Key, suffix string, modified time.Time) {
		path := d.file(string(key), suffix)
		mustWrite(t, path, []byte("x"))
		mustDo(t, os.Chtimes(path, modified, modified))
	}
	write(live, lockSuffix, now)
	write(live, tempSuffix+"123", now)
	write(live, damagedSuffix, now)
	write(dead, lockSuffix, now)
	write(dead, damagedSuffix, old)
	write(KeyOf("orphan"), lockSuffix, now)
	write(KeyOf("damaged"), entrySuffix, now)
	write(KeyOf("forgotten"), entrySuffix, old)
	write(saltName, tempSuffix+"456", now)
	write(saltName, lockSuffix, now)
	mustWrite(t, filepath.Join(d.path, "somebody-elses.lock"), nil)
	mustDo(t, os.Mkdir(filepath.Join(d.path, "run"), 0o700))

	if removed := d.Sweep(now); removed != 2 {
		t.Errorf("removed %d entries, want 2: the expired one and the old damaged one", removed)
	}
	want := []string{
		"run", saltName, "somebody-elses.lock", string(KeyOf("damaged")) + entrySuffix,
		string(live) + entrySuffix, string(live) + lockSuffix, string(live) + damagedSuffix,
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
	mustPut(t, d, KeyOf("ours"), mustSealer(t, d, testSecret), testCredential(1))
	mustWrite(t, d.file(string(KeyOf("newer")), entrySuffix), header{version + 1, expires.Unix()}.bytes())
	for _, step := range []struct {
		after time.Duration
		want  int
	}{{expiredKept, 0}, {expiredKept + time.Second, 1}, {newerKept, 0}, {newerKept + time.Second, 1}} {
		if got := d.Sweep(expires.Add(step.after)); got != step.want {
			t.Errorf("%v after expiry: removed %d, want %d", step.after, got, step.want)
		}
	}
}

// An entry that was renewed after a sweeper looked is not litter any more.
func TestSweepLooksAgainOnceItHasTheLock(t *testing.T) {
	d, _ := newTest(t)
	s, c := mustSealer(t, d, testSecret), testCredential(1)
	now := c.Expires.Add(expiredKept + time.Minute)
	mustPut(t, d, testKey, s, c)
	litter := d.litter(string(testKey), []string{entrySuffix}, now)
	c.Expires = now.Add(time.Hour)
	mustPut(t, d, testKey, s, c)
	if removed := d.tidy(string(testKey), litter, now); removed != 0 || len(litter) != 1 {
		t.Errorf("removed %d of %v", removed, litter)
	}
	wantHit(t, d, testKey, s, c)
}

// The holder of a lock may be writing: its files are not litter.
func TestSweepLeavesAloneWhatIsLocked(t *testing.T) {
	d, _ := newTest(t)
	unlock, err := d.Lock(t.Context(), testKey)
	mustDo(t, err)
	mustPut(t, d, testKey, mustSealer(t, d, testSecret), testCredential(1))
	mustWrite(t, d.file(string(testKey), tempSuffix+"1"), nil)
	later := testCredential(1).Expires.Add(24 * time.Hour)
	if removed := d.Sweep(later); removed != 0 || len(files(t, d, string(testKey))) != 3 {
		t.Errorf("left of three files: %v", files(t, d, string(testKey)))
	}
	unlock()
	if removed := d.Sweep(later); removed != 1 || len(files(t, d, string(testKey))) != 0 {
		t.Errorf("left once unlocked: %v", files(t, d, string(testKey)))
	}
}
