package cache

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/tcred/tcred/credential"
)

// putChild writes one whole credential after another, until it is killed.
func putChild(args []string) error {
	d, _ := openTest(args[0])
	s, err := d.Sealer(context.Background(), testSecret)
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
		s := mustSealer(t, reader, testSecret)
		for end := time.Now().Add(rand.N(20 * time.Millisecond)); time.Now().Before(end); {
			wantWhole(t, reader, s)
		}
		mustDo(t, writer.Process.Kill())
		writer.Wait()
		wantWhole(t, reader, s)
		reader.Sweep(testCredential(0).Issued)
		if left := files(t, reader, tempSuffix, damagedSuffix); len(left) != 0 {
			t.Errorf("left after a sweep: %v", left)
		}
		warned.want(t, 0)
	}
}

// Killed before the first rename, what is left is a clean miss.
func TestKilledBeforeTheRenameTheEntryIsAMiss(t *testing.T) {
	d, warned := newTest(t)
	s := mustSealer(t, d, testSecret)
	entry, err := s.seal(testKey, testCredential(1))
	mustDo(t, err)
	mustWrite(t, d.file(string(testKey), tempSuffix+"1"), entry[:100])
	wantMiss(t, d, testKey, s)
	d.Sweep(testCredential(1).Issued)
	if left := files(t, d, string(testKey)); len(left) != 0 {
		t.Errorf("left after a sweep: %v", left)
	}
	warned.want(t, 0)
}

func wantWhole(t *testing.T, d *Dir, s *Sealer) {
	t.Helper()
	c, ok := d.Get(testKey, s)
	var n int
	if _, err := fmt.Sscanf(c.SecretID, "AKID-test-%d", &n); !ok || err != nil || !same(c, testCredential(n)) {
		t.Fatalf("the entry is a miss or torn (hit %v)", ok)
	}
}

func TestAFailedWriteLeavesTheOldEntryAndNothingElse(t *testing.T) {
	d, _ := newTest(t)
	s := mustSealer(t, d, testSecret)
	mustPut(t, d, testKey, s, testCredential(1))
	before := files(t, d, "")
	broken := errors.New("no rename today")
	err := d.write(string(testKey), entrySuffix, []byte("x"), func(string, string) error { return broken })
	if !errors.Is(err, broken) {
		t.Errorf("write: %v", err)
	}
	wantHit(t, d, testKey, s, testCredential(1))
	if after := files(t, d, ""); len(after) != len(before) {
		t.Errorf("files before %v, after %v", before, after)
	}
}

func TestADirectoryInPlaceOfTheEntryIsAnErrorNotALoss(t *testing.T) {
	d, _ := newTest(t)
	s := mustSealer(t, d, testSecret)
	mustDo(t, os.MkdirAll(d.file(string(testKey), entrySuffix)+"/x", 0o700))
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
