package doctor

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"maps"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/tcred/tcred/api"
	"github.com/tcred/tcred/cache"
	"github.com/tcred/tcred/credential"
	"github.com/tcred/tcred/internal/human"
	"github.com/tcred/tcred/internal/plaintext"
	"github.com/tcred/tcred/internal/service"
	"github.com/tcred/tcred/internal/socket"
	"github.com/tcred/tcred/keystore"
)

// config does what tcred check does, in one line.
func (x *examination) config(ctx context.Context) {
	problems := x.set.Check(ctx)
	for _, p := range problems {
		if p.Warning {
			continue
		}
		text := p.String()
		if p.Line == 0 && strings.Contains(p.Message, p.File) {
			text = p.Message // it says where
		}
		x.fail("config", "tcred check shows every problem", "%s", text)
		return
	}
	if len(problems) > 0 {
		x.warn("config", "tcred check shows every problem", "%s", problems[0])
		return
	}
	c, err := x.set.Config()
	switch _, missing := os.Stat(x.places.Config); {
	case err != nil:
		x.failed("config", err)
	case errors.Is(missing, fs.ErrNotExist):
		x.ok("config", "there is no %s, so everything is at its default", x.places.Config)
	default:
		x.ok("config", "%s, with %s", x.places.Config, human.Count(len(c.Profiles), "profile"))
	}
}

// keystore asks whether keys can be read, here and by the daemon that runs, and then reads each one of the index.
func (x *examination) keystore(ctx context.Context) {
	store, err := x.set.Store()
	if err != nil {
		return // config said why
	}
	here, there := store.Probe(ctx), error(nil)
	st, err := x.status(ctx)
	runs := err == nil && st.Keystore == store.Name()
	if runs {
		there = service.CanReadKeys(ctx)
	}
	e := api.AsError(here)
	switch {
	case here == nil && there == nil:
		x.usable(store)
	case here == nil:
		x.warn("keystore", api.AsError(there).Hint,
			"%q can be used here, but not by the daemon (process %d): %s", store.Name(), st.PID, there)
	case runs && there == nil && e.Code == api.KeystoreLocked && store.Name() == "file":
		x.ok("keystore", "the daemon has the file keystore open; here it is locked, so keys were not looked at")
	case runs && there == nil:
		x.ok("keystore", "the daemon can use %q; here it cannot be used, so keys were not looked at: %s",
			store.Name(), here)
	case e.Code == api.KeystoreAbsent && x.keyHere():
		x.fail("keystore", "tcred init --keystore env takes the key in this environment; else: "+e.Hint, "%s", here)
	case e.Code == api.KeystoreLocked:
		x.warn("keystore", e.Hint, "%s", here)
	default:
		x.failed("keystore", here)
	}
	if here == nil {
		x.keys(ctx, store)
	}
}

func (x *examination) usable(store keystore.Store) {
	if store.Name() == "env" {
		x.ok("keystore", `"env" can be used: get and exec read the key in this environment, without the daemon`)
		return
	}
	x.ok("keystore", "%q can be used", store.Name())
}

// keyHere reports whether this environment has a permanent key, as the keystore "env" reads it.
func (x *examination) keyHere() bool {
	found, err := plaintext.FromEnvironment(os.Getenv)
	return err == nil && found.Token == ""
}

func (x *examination) keys(ctx context.Context, store keystore.Store) {
	entries, err := x.set.Keys()
	if err != nil {
		return // config said why
	}
	names, err := store.List(ctx)
	if err != nil && !errors.Is(err, errors.ErrUnsupported) {
		x.failed("keys", err)
		return
	}
	if len(entries) == 0 && len(names) == 0 {
		x.warn("keys", "tcred add", "there is no key yet")
		return
	}
	faults := 0
	for _, name := range slices.Sorted(maps.Keys(entries)) {
		if err := sameKey(ctx, store, name, entries[name].SecretID); err != nil {
			x.failed("keys", err)
			faults++
		}
	}
	if faults == 0 {
		x.ok("keys", "%s, where the index says", human.Count(max(len(entries), len(names)), "key"))
	}
}

// sameKey is the error for a key of the index that the keystore does not hold, or in whose place it holds another.
func sameKey(ctx context.Context, store keystore.Store, name, secretID string) error {
	key, err := store.Get(ctx, name)
	if api.CodeOf(err) == api.NoKey {
		return &api.Error{
			Code: api.NoKey, Message: fmt.Sprintf("the index has key %q, the keystore has not", name),
			Hint: fmt.Sprintf("tcred add %s --replace, or tcred remove %s", name, name),
		}
	}
	if err == nil && key.ID != secretID {
		err = &api.Error{
			Code: api.KeystoreFailed, Hint: fmt.Sprintf("tcred add %s --replace", name),
			Message: fmt.Sprintf("key %q in the keystore is %s, in the index %s",
				name, credential.Mask(key.ID), credential.Mask(secretID)),
		}
	}
	return err
}

// lockWithin is how long doctor waits for a lock that nobody but another doctor takes.
const lockWithin = 2 * time.Second

// cacheDir takes a lock in the cache and writes there, as the daemon does.
func (x *examination) cacheDir(ctx context.Context) {
	const consequence = "credentials are kept in memory only"
	if !x.ownDir("cache", x.places.Cache, consequence) {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, lockWithin)
	defer cancel()
	unlock, err := cache.Open(x.places.Cache, slog.New(slog.DiscardHandler)).Lock(ctx, cache.KeyOf("tcred doctor"))
	if err != nil {
		x.fail("cache", "is the disk full or read-only?", "%s; %s", err, consequence)
		return
	}
	unlock()
	if err := canWrite(x.places.Cache); err != nil {
		x.fail("cache", "is the disk full or read-only?", "%s; %s", err, consequence)
		return
	}
	if cache.OnNetwork(x.places.Cache) {
		x.warn("cache", "set "+api.EnvCacheDir+" to a directory on a disk of this machine",
			"%s: the cache is on a network file system, where locks may not hold between machines", x.places.Cache)
		return
	}
	x.ok("cache", "%s", x.places.Cache)
}

// stateDir tries to write where the log and the key index are.
func (x *examination) stateDir() {
	if !x.ownDir("state", x.places.State, "there is no place for the log and the key index") {
		return
	}
	if err := canWrite(x.places.State); err != nil {
		x.fail("state", "is the disk full or read-only?", "%v", err)
		return
	}
	x.ok("state", "%s", x.places.State)
}

// ownDir reports whether a directory of ours is there and ours alone, and notes it if not. A missing one is made when
// it is needed.
func (x *examination) ownDir(check, dir, consequence string) bool {
	err := socket.CheckDir(dir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		if err := canMakeBelow(dir); err != nil {
			x.fail(check, "mend that, or make it yourself: mkdir -m 700 -p "+dir, "%s cannot be made: %v; %s", dir, err, consequence)
			return false
		}
		x.ok(check, "%s will be made when it is needed", dir)
	case err != nil:
		x.fail(check, "it must be a directory, no link, that is yours, with mode 0700: chmod 700 "+dir,
			"%s; %s", api.AsError(err).Message, consequence)
	}
	return err == nil
}
