package cache

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"sync"
	"testing"
)

func TestASealerPrintsRedacted(t *testing.T) {
	s := testSealer(t)
	var out bytes.Buffer
	fmt.Fprintf(&out, "%v %+v %#v %s %x %v\n", s, s, s, s, s, *s)
	slog.New(slog.NewTextHandler(&out, nil)).Info("x", "sealer", s)
	slog.New(slog.NewJSONHandler(&out, nil)).Info("x", "sealer", s)
	want := "[redacted] [redacted] [redacted] [redacted] [redacted] [redacted]\n"
	if !bytes.HasPrefix(out.Bytes(), []byte(want)) || bytes.Contains(out.Bytes(), []byte("aead")) {
		t.Errorf("prints as %s", out.String())
	}
}

func TestNoSealerFromAnEmptySecret(t *testing.T) {
	d, _ := newTest(t)
	if s, err := d.Sealer(t.Context(), ""); err == nil {
		t.Errorf("got %v", s)
	}
}

func TestManyWhoMakeTheSaltAtOnceShareOne(t *testing.T) {
	d, warned := newTest(t)
	var group sync.WaitGroup
	sealers := make([]*Sealer, 16)
	for i := range sealers {
		group.Go(func() {
			own, _ := openTest(d.path)
			sealers[i], _ = own.Sealer(t.Context(), testSecret)
		})
	}
	group.Wait()
	for _, s := range sealers {
		if s == nil || !bytes.Equal(s.salt, sealers[0].salt) || len(s.salt) != saltSize {
			t.Fatal("one got no salt, or another one")
		}
	}
	warned.want(t, 0)
}

// On a network file system locks may not hold.
func TestASaltIsNotReplacedEvenWithoutItsLock(t *testing.T) {
	d, _ := newTest(t)
	mustDo(t, d.make())
	var group sync.WaitGroup
	salts := make([][]byte, 16)
	for i := range salts {
		group.Go(func() { salts[i], _ = d.makeSalt(bytes.Repeat([]byte{byte(i)}, saltSize)) })
	}
	group.Wait()
	for _, salt := range salts {
		if len(salt) != saltSize || !bytes.Equal(salt, salts[0]) {
			t.Fatalf("%x and %x", salt, salts[0])
		}
	}
}

func TestTheSaltComesBackWhenTheDirectoryVanished(t *testing.T) {
	for name, lose := range map[string]func(d *Dir) error{
		"salt":      func(d *Dir) error { return os.Remove(d.file(saltName, "")) },
		"directory": func(d *Dir) error { return os.RemoveAll(d.path) },
		"damaged":   func(d *Dir) error { return os.WriteFile(d.file(saltName, ""), []byte("short"), 0o600) },
	} {
		t.Run(name, func(t *testing.T) {
			d, _ := newTest(t)
			s := mustSealer(t, d, testSecret)
			mustPut(t, d, testKey, s, testCredential(1))
			mustDo(t, lose(d))
			d.Get(testKey, s)
			mustPut(t, d, testKey, s, testCredential(2))
			again, warned := openTest(d.path)
			wantHit(t, again, testKey, mustSealer(t, again, testSecret), testCredential(2))
			warned.want(t, 0)
		})
	}
}

// Whoever waits for a credential has a budget, and the salt's maker may be stuck.
func TestNobodyWaitsForTheSaltLongerThanTheCallerDoes(t *testing.T) {
	d, _ := newTest(t)
	mustDo(t, d.make())
	held, err := d.lock(t.Context(), saltName)
	mustDo(t, err)
	defer held.Unlock()
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := d.Sealer(ended, testSecret); !errors.Is(err, context.Canceled) {
		t.Errorf("Sealer: %v", err)
	}
	if err := d.Put(ended, testKey, testSealer(t), testCredential(1)); !errors.Is(err, context.Canceled) {
		t.Errorf("Put: %v", err)
	}
}

// Somebody else made the directory anew: what lies there is whole, but not for this Sealer.
func TestAStaleSealerNeitherHarmsNorWrites(t *testing.T) {
	d, warned := newTest(t)
	stale := mustSealer(t, d, testSecret)
	mustDo(t, os.RemoveAll(d.path))
	other, _ := openTest(d.path)
	s := mustSealer(t, other, testSecret)
	mustPut(t, other, testKey, s, testCredential(1))

	wantMiss(t, d, testKey, stale)
	if !d.Stale(stale) || other.Stale(s) {
		t.Error("which one is stale is not told")
	}
	if err := d.Put(t.Context(), testKey, stale, testCredential(2)); !errors.Is(err, ErrStaleSealer) {
		t.Errorf("Put: %v, want ErrStaleSealer", err)
	}
	wantHit(t, other, testKey, s, testCredential(1))
	wantHit(t, d, testKey, mustSealer(t, d, testSecret), testCredential(1))
	warned.want(t, 0)
}

func TestADamagedSaltIsMadeAnew(t *testing.T) {
	d, warned := newTest(t)
	mustPut(t, d, testKey, mustSealer(t, d, testSecret), testCredential(1))
	mustWrite(t, d.file(saltName, ""), []byte("short"))
	s := mustSealer(t, d, testSecret)
	wantMiss(t, d, testKey, s)
	mustPut(t, d, testKey, s, testCredential(2))
	wantHit(t, d, testKey, s, testCredential(2))
	warned.want(t, 2) // the salt, and the entry that nobody can open now
}
