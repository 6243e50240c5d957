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
	time.Sleep(100 * time.Microsecond) // long enough for a second holder to read the same number
	return os.WriteFile(path, []byte(strconv.Itoa(n+1)), 0o600)
}

// sweepChild sweeps until it is killed. It leaves a temporary file each time, so that it has to take the lock.
func sweepChild(args []string) error {
	d, warned := openTest(args[0])
	fmt.Println("ready")
	for len(warned.lines()) == 0 {
		if err := os.WriteFile(d.file(testKey, tempSuffix), nil, 0o600); err != nil {
			return err
		}
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

func TestNoUpdateIsLostAmongProcessesWhileASweeperTakesTheLock(t *testing.T) {
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

// In a bubble of synctest the wait takes no time.
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

// What is not the key's own, or no temporary file, stays.
func TestWhoTakesALockRemovesWhatAKilledHolderLeft(t *testing.T) {
	d, warned := newTest(t)
	s := mustSealer(t, testSecret)
	mustPut(t, d, testKey, s, testCredential(1))
	mustWrite(t, d.file(testKey, tempSuffix), []byte("half"))
	mustWrite(t, d.file(KeyOf("another"), tempSuffix), nil)

	unlock, err := d.Lock(t.Context(), testKey)
	mustDo(t, err)
	defer unlock()
	if left := files(t, d, tempSuffix); len(left) != 1 || !strings.HasPrefix(left[0], string(KeyOf("another"))) {
		t.Errorf("left: %v, want the other entry's alone", left)
	}
	wantHit(t, d, testKey, s, testCredential(1))
	warned.want(t, 0)
}

// Who waits for the lock must not take the holder's file for a killed writer's.
func TestWhoDoesNotGetALockRemovesNothing(t *testing.T) {
	d, _ := newTest(t)
	unlock, err := d.Lock(t.Context(), testKey)
	mustDo(t, err)
	defer unlock()
	mustWrite(t, d.file(testKey, tempSuffix), []byte("half"))
	brief, cancel := context.WithTimeout(t.Context(), 2*lockRetry)
	defer cancel()
	if _, err := d.Lock(brief, testKey); err == nil {
		t.Fatal("two hold the lock")
	}
	if left := files(t, d, tempSuffix); len(left) != 1 {
		t.Errorf("left: %v", left)
	}
}

// To list a directory is to allocate for each file in it.
func TestALockDoesNotListTheDirectory(t *testing.T) {
	d, _ := newTest(t)
	lock := func() {
		unlock, err := d.Lock(t.Context(), testKey)
		mustDo(t, err)
		unlock()
	}
	lock()
	few := testing.AllocsPerRun(5, lock)
	for n := range 500 {
		mustWrite(t, d.file(KeyOf(strconv.Itoa(n)), entrySuffix), nil)
	}
	if many := testing.AllocsPerRun(5, lock); many > 2*few {
		t.Errorf("%v allocations among 500 entries, %v without", many, few)
	}
}
