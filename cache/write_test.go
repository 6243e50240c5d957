package cache

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tcred/tcred/credential"
)

// putChild writes one whole credential after another, until it is killed.
func putChild(args []string) error {
	d, _ := openTest(args[0])
	s, err := NewSealer(testSecret)
	if err != nil {
		return err
	}
	for n := 0; ; n++ {
		unlock, err := d.Lock(context.Background(), testKey)
		if err != nil {
			return err
		}
		if err := d.Put(context.Background(), testKey, s, testCredential(n)); err != nil {
			return err
		}
		unlock()
		if n == 0 {
			fmt.Println("ready")
		}
	}
}

func TestKilledAtAnyPointOfAWriteTheEntryIsWhole(t *testing.T) {
	d, _ := newTest(t)
	for range 15 {
		writer := child(t, "put", d.path)
		startAndWaitReady(t, writer)
		reader, warned := openTest(d.path)
		s := mustSealer(t, testSecret)
		for end := time.Now().Add(rand.N(20 * time.Millisecond)); time.Now().Before(end); {
			wantWhole(t, reader, s)
		}
		mustDo(t, writer.Process.Kill())
		writer.Wait()
		wantWhole(t, reader, s)
		reader.Sweep(testCredential(0).Issued)
		if left := files(t, reader, tempSuffix); len(left) != 0 {
			t.Errorf("left after a sweep: %v", left)
		}
		warned.want(t, 0)
	}
}

// Killed before the first rename, what is left is a clean miss.
func TestKilledBeforeTheRenameTheEntryIsAMiss(t *testing.T) {
	d, warned := newTest(t)
	s := mustSealer(t, testSecret)
	entry, err := s.seal(testKey, testCredential(1))
	mustDo(t, err, d.make())
	mustWrite(t, d.file(testKey, tempSuffix), entry[:100])
	wantMiss(t, d, testKey, s)
	d.Sweep(testCredential(1).Issued)
	if left := files(t, d, tempSuffix, entrySuffix); len(left) != 0 {
		t.Errorf("left after a sweep: %v", left)
	}
	warned.want(t, 0)
}

func wantWhole(t *testing.T, d *Dir, s *Sealer) {
	t.Helper()
	c, ok := d.Get(t.Context(), testKey, s)
	var n int
	if _, err := fmt.Sscanf(c.SecretID, "AKID-test-%d", &n); !ok || err != nil || !same(c, testCredential(n)) {
		t.Errorf("the entry is a miss or torn (hit %v)", ok)
	}
}

// A temporary file may belong to another writer, who is still at it.
func TestTwoWhoWriteWithoutALockDoNotMix(t *testing.T) {
	d, warned := newTest(t)
	s := mustSealer(t, testSecret)
	mustPut(t, d, testKey, s, testCredential(1))
	mustWrite(t, d.file(testKey, tempSuffix), []byte("half"))
	if err := d.Put(t.Context(), testKey, s, testCredential(2)); !errors.Is(err, fs.ErrExist) {
		t.Errorf("Put: %v, want fs.ErrExist", err)
	}
	wantHit(t, d, testKey, s, testCredential(1))
	if half, err := os.ReadFile(d.file(testKey, tempSuffix)); err != nil || string(half) != "half" {
		t.Errorf("the other writer's file holds %q, %v", half, err)
	}
	warned.want(t, 0)
}

// No lock protects these writers, as on a file system that has none. Some writes fail, but every entry is whole.
func TestManyWhoWriteWithoutALockLeaveAWholeEntry(t *testing.T) {
	d, warned := newTest(t)
	s := mustSealer(t, testSecret)
	mustPut(t, d, testKey, s, testCredential(0))
	var writers sync.WaitGroup
	var failed, written atomic.Int32
	for n := range 8 {
		writers.Go(func() {
			for range 20 {
				if d.Put(t.Context(), testKey, s, testCredential(n)) == nil {
					written.Add(1)
				} else {
					failed.Add(1)
				}
				wantWhole(t, d, s)
			}
		})
	}
	writers.Wait()
	t.Logf("%d written, %d failed", written.Load(), failed.Load())
	if left := files(t, d, tempSuffix); len(left) != 0 || written.Load() == 0 {
		t.Errorf("%d written; left: %v", written.Load(), left)
	}
	mustPut(t, d, testKey, s, testCredential(9))
	wantHit(t, d, testKey, s, testCredential(9))
	warned.want(t, 0)
}

func TestADirectoryInPlaceOfTheEntryIsAnErrorNotALoss(t *testing.T) {
	d, _ := newTest(t)
	s := mustSealer(t, testSecret)
	mustDo(t, os.MkdirAll(d.file(testKey, entrySuffix)+"/x", 0o700))
	if err := d.Put(t.Context(), testKey, s, testCredential(1)); err == nil {
		t.Error("Put: no error")
	}
	if left := files(t, d, tempSuffix); len(left) != 0 {
		t.Errorf("left: %v", left)
	}
}

// largeCredential makes an entry of more than 16 KiB.
func largeCredential() credential.Credential {
	c := testCredential(7)
	c.Token = credential.Secret(strings.Repeat("T", 12<<10))
	return c
}
