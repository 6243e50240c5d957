package cache

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

const increments = 40

// countChild adds to a counter that nothing but the lock protects.
func countChild(args []string) error {
	d, _ := openTest(args[0])
	for range increments {
		unlock, err := d.Lock(context.Background(), testKey)
		if err != nil {
			return err
		}
		if err := increment(args[1]); err != nil {
			return err
		}
		unlock()
	}
	return nil
}

func increment(path string) error {
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	n, err := strconv.Atoi(string(text))
	if err != nil {
		return fmt.Errorf("torn counter: %w", err)
	}
	time.Sleep(100 * time.Microsecond) // the window in which a second holder would show
	return os.WriteFile(path, []byte(strconv.Itoa(n+1)), 0o600)
}

// sweepChild removes the lock file whenever it can, until it is killed.
func sweepChild(args []string) error {
	d, warned := openTest(args[0])
	fmt.Println("ready")
	for len(warned.lines()) == 0 {
		d.Sweep(time.Now())
	}
	return errors.New(warned.lines()[0])
}

func holdChild(args []string) error {
	d, _ := openTest(args[0])
	unlock, err := d.Lock(context.Background(), testKey)
	if err != nil {
		return err
	}
	defer unlock()
	fmt.Println("ready")
	time.Sleep(time.Minute) // it is killed long before
	return errors.New("not killed")
}

// There is no entry, so that every lock file is an orphan, which a sweeper removes all the time.
func TestNoUpdateIsLostAmongProcessesWhileLockFilesAreRemoved(t *testing.T) {
	d, _ := newTest(t)
	mustDo(t, d.make())
	counter := filepath.Join(t.TempDir(), "counter")
	mustWrite(t, counter, []byte("0"))
	startAndWaitReady(t, child(t, "sweep", d.path))

	var counting []*exec.Cmd
	for range 5 {
		cmd := child(t, "count", d.path, counter)
		mustDo(t, cmd.Start())
		counting = append(counting, cmd)
	}
	for _, cmd := range counting {
		mustDo(t, cmd.Wait())
	}
	text, err := os.ReadFile(counter)
	if want := strconv.Itoa(len(counting) * increments); err != nil || string(text) != want {
		t.Errorf("counted %s, want %s (%v)", text, want, err)
	}
}

func TestAKilledHolderLetsTheNextOneIn(t *testing.T) {
	d, _ := newTest(t)
	holder := child(t, "hold", d.path)
	startAndWaitReady(t, holder)

	brief, cancel := context.WithTimeout(t.Context(), 3*lockRetry)
	defer cancel()
	if _, err := d.Lock(brief, testKey); !errors.Is(err, context.DeadlineExceeded) || errors.Is(err, errNoLock) {
		t.Fatalf("Lock while it is held: %v, want the deadline", err)
	}
	mustDo(t, holder.Process.Kill())
	holder.Wait()
	unlock, err := d.Lock(t.Context(), testKey)
	if err != nil {
		t.Fatalf("Lock after the holder was killed: %v", err)
	}
	unlock()
}

// Within a process too; a bubble's clock jumps, so that the wait costs nothing.
func TestLockIsExclusiveWithinAProcessAndPerKey(t *testing.T) {
	d, _ := newTest(t)
	synctest.Test(t, func(t *testing.T) {
		unlock, err := d.Lock(t.Context(), testKey)
		mustDo(t, err)
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		if _, err := d.Lock(ctx, testKey); !errors.Is(err, context.DeadlineExceeded) {
			t.Fatalf("a second Lock: %v, want the deadline", err)
		}
		unlockOther, err := d.Lock(t.Context(), KeyOf("another"))
		mustDo(t, err)
		unlockOther()
		unlock()
		unlock() // twice is harmless
		again, err := d.Lock(t.Context(), testKey)
		mustDo(t, err)
		again()
	})
}

func TestALockFileThatWasReplacedIsNoLock(t *testing.T) {
	d, _ := newTest(t)
	mustDo(t, d.make())
	held, ok := d.tryLock(string(testKey))
	if !ok {
		t.Fatal("a free lock was not had")
	}
	defer held.Unlock()
	mustDo(t, os.Remove(held.Path()))
	if inPlace(held) {
		t.Error("a removed lock file counts")
	}
	mustWrite(t, held.Path(), nil)
	if inPlace(held) {
		t.Error("a replaced lock file counts")
	}
}

func BenchmarkLock(b *testing.B) {
	d, _ := openTest(filepath.Join(b.TempDir(), "tcred"))
	for b.Loop() {
		unlock, err := d.Lock(context.Background(), testKey)
		if err != nil {
			b.Fatal(err)
		}
		unlock()
	}
}

// Sweep passes by what is locked, so whoever locks it clears up. What is not the name's own, or no temporary file, stays.
func TestWhoTakesALockRemovesWhatAKilledHolderLeft(t *testing.T) {
	d, warned := newTest(t)
	s := mustSealer(t, d, testSecret)
	mustPut(t, d, testKey, s, testCredential(1))
	mustWrite(t, d.file(string(testKey), tempSuffix+"123"), []byte("half"))
	mustWrite(t, d.file(string(testKey), damagedSuffix), nil)
	mustWrite(t, d.file(string(KeyOf("another")), tempSuffix+"456"), nil)

	unlock, err := d.Lock(t.Context(), testKey)
	mustDo(t, err)
	defer unlock()
	if left := files(t, d, tempSuffix); len(left) != 1 || !strings.HasPrefix(left[0], string(KeyOf("another"))) {
		t.Errorf("left: %v, want the other entry's alone", left)
	}
	if len(files(t, d, damagedSuffix)) != 1 {
		t.Error("the damaged file went too")
	}
	wantHit(t, d, testKey, s, testCredential(1))
	warned.want(t, 0)
}
