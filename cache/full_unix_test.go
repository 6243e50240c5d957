//go:build unix

package cache

import (
	"context"
	"errors"
	"fmt"
	"os/signal"
	"syscall"
	"testing"
)

// limitChild may write files of 8 KiB at most, which ends a write in its middle as a full disk does.
func limitChild(args []string) error {
	signal.Ignore(syscall.SIGXFSZ)
	limit := syscall.Rlimit{Cur: 8 << 10, Max: 8 << 10}
	if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &limit); err != nil {
		return err
	}
	d, _ := openTest(args[0])
	s, err := NewSealer(testSecret)
	if err != nil {
		return err
	}
	if err := d.Put(context.Background(), testKey, s, largeCredential()); !errors.Is(err, syscall.EFBIG) {
		return fmt.Errorf("Put over the limit: %w, want EFBIG", err)
	}
	return nil
}

func TestAShortWriteLeavesTheOldEntryAndNothingElse(t *testing.T) {
	d, warned := newTest(t)
	s := mustSealer(t, testSecret)
	mustPut(t, d, testKey, s, testCredential(1))
	mustDo(t, child(t, "limit", d.path).Run())
	wantHit(t, d, testKey, s, testCredential(1))
	if left := files(t, d, tempSuffix); len(left) != 0 {
		t.Errorf("left: %v", left)
	}
	mustPut(t, d, testKey, s, largeCredential()) // without the limit it fits
	wantHit(t, d, testKey, s, largeCredential())
	warned.want(t, 0)
}

// A pipe in an entry's place would hold a reader for ever.
func TestAPipeInPlaceOfTheEntryIsAMiss(t *testing.T) {
	d, warned := newTest(t)
	s := mustSealer(t, testSecret)
	mustDo(t, d.make(), syscall.Mkfifo(d.file(testKey, entrySuffix), 0o600))
	wantMiss(t, d, testKey, s)
	warned.want(t, 1)
	mustPut(t, d, testKey, s, testCredential(1))
	wantHit(t, d, testKey, s, testCredential(1))
}
