package cache

import (
	"fmt"
	"path/filepath"
	"slices"
	"testing"
	"time"
)

func openBench(b *testing.B) *Dir {
	d, _ := openTest(filepath.Join(b.TempDir(), "tcred"))
	return d
}

func BenchmarkGet(b *testing.B) {
	d, s := openBench(b), mustSealer(b, testSecret)
	mustPut(b, d, testKey, s, testCredential(1))
	for b.Loop() {
		wantHit(b, d, testKey, s, testCredential(1))
	}
}

func BenchmarkPut(b *testing.B) {
	d, s := openBench(b), mustSealer(b, testSecret)
	for b.Loop() {
		mustPut(b, d, testKey, s, testCredential(1))
	}
}

func BenchmarkLock(b *testing.B) {
	d := openBench(b)
	for b.Loop() {
		unlock, err := d.Lock(b.Context(), testKey)
		mustDo(b, err)
		unlock()
	}
}

// BenchmarkColdKey is what the cache has to do for a key that it has no entry of, among 10 entries and among 10,000.
// The two take turns, so that a busy machine slows both. "ratio" is that of the medians, and should be about 1: on ext4
// it is 1.08, because a sync of a larger directory writes more, and on tmpfs 1.00.
func BenchmarkColdKey(b *testing.B) {
	s := mustSealer(b, testSecret)
	small, large := openBench(b), openBench(b)
	fillBench(b, small, s, 10)
	fillBench(b, large, s, 10_000)
	var among10, among10000 []time.Duration
	n := 0
	for b.Loop() {
		key := KeyOf(fmt.Sprintf("cold %d", n))
		n++
		among10 = append(among10, coldKey(b, small, key, s))
		among10000 = append(among10000, coldKey(b, large, key, s))
	}
	few, many := median(among10), median(among10000)
	b.ReportMetric(float64(many)/float64(few), "ratio")
	b.ReportMetric(float64(few.Microseconds()), "10-µs")
	b.ReportMetric(float64(many.Microseconds()), "10000-µs")
	b.ReportMetric(0, "ns/op") // of both together: says nothing
}

// fillBench fills the directory with entries as they are after some time: each has a lock file.
func fillBench(b *testing.B, d *Dir, s *Sealer, entries int) {
	mustDo(b, d.make())
	for n := range entries {
		key := KeyOf(fmt.Sprint(n))
		entry, err := s.seal(key, testCredential(n))
		mustDo(b, err)
		mustWrite(b, d.file(key, entrySuffix), entry)
		mustWrite(b, d.file(key, lockSuffix), nil)
	}
}

// coldKey takes the time of one key, and removes it again.
func coldKey(b *testing.B, d *Dir, key Key, s *Sealer) time.Duration {
	start := time.Now()
	unlock, err := d.Lock(b.Context(), key)
	mustDo(b, err)
	wantMiss(b, d, key, s)
	mustPut(b, d, key, s, testCredential(1))
	unlock()
	took := time.Since(start)
	d.remove(d.file(key, entrySuffix))
	d.remove(d.file(key, lockSuffix))
	return took
}

func median(times []time.Duration) time.Duration {
	slices.Sort(times)
	return times[len(times)/2]
}
