package cli

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"strings"
	"time"

	"github.com/tcred/tcred/api"
	"github.com/tcred/tcred/cache"
	"github.com/tcred/tcred/credential"
	"github.com/tcred/tcred/internal/socket"
	"github.com/tcred/tcred/keystore"
)

// config is tcred check in a line.
func (d *doctor) config(ctx context.Context) {
	problems := d.set.Check(ctx)
	for _, p := range problems {
		if p.Warning {
			continue
		}
		text := p.String()
		if p.Line == 0 && strings.Contains(p.Message, p.File) {
			text = p.Message // it says where
		}
		d.fail("config", "tcred check shows every problem", "%s", text)
		return
	}
	if len(problems) > 0 {
		d.warn("config", "tcred check shows every problem", "%s", problems[0])
		return
	}
	c, err := d.set.Config()
	switch _, missing := os.Stat(d.paths.Config); {
	case err != nil:
		d.failed("config", err)
	case errors.Is(missing, fs.ErrNotExist):
		d.ok("config", "there is no %s, so everything is at its default", d.paths.Config)
	default:
		d.ok("config", "%s, with %s", d.paths.Config, count(len(c.Profiles), "profile"))
	}
}

// keystore asks whether keys can be read, and then for each one of the index: the daemon will.
func (d *doctor) keystore(ctx context.Context) {
	store, err := d.set.Store()
	if err != nil {
		return // config said why
	}
	switch err := store.Probe(ctx); {
	case api.CodeOf(err) == api.KeystoreLocked && store.Name() == "file" && openInDaemon(ctx):
		d.ok("keystore", "the daemon has %s open; here it is locked, so keys were not looked at", titleOf(store))
		return
	case api.CodeOf(err) == api.KeystoreLocked:
		d.warn("keystore", api.AsError(err).Hint, "%s", err)
		return
	case err != nil:
		d.failed("keystore", err)
		return
	}
	d.ok("keystore", "%q can be used", store.Name())
	d.keys(ctx, store)
}

func (d *doctor) keys(ctx context.Context, store keystore.Store) {
	entries, err := d.set.Keys()
	if err != nil {
		return // config said why
	}
	names, err := store.List(ctx)
	if err != nil && !errors.Is(err, errors.ErrUnsupported) {
		d.failed("keys", err)
		return
	}
	if len(entries) == 0 && len(names) == 0 {
		d.warn("keys", "tcred add", "there is no key yet")
		return
	}
	faults := 0
	for name, e := range entries {
		if err := sameKey(ctx, store, name, e.SecretID); err != nil {
			d.failed("keys", err)
			faults++
		}
	}
	if faults == 0 {
		d.ok("keys", "%s, where the index says", count(max(len(entries), len(names)), "key"))
	}
}

// sameKey reports a key of the index that the keystore does not hold, or holds another of its name.
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
			Code:    api.KeystoreFailed,
			Message: fmt.Sprintf("key %q in the keystore is %s, in the index %s", name, credential.Mask(key.ID), credential.Mask(secretID)),
			Hint:    fmt.Sprintf("tcred add %s --replace", name),
		}
	}
	return err
}

// lockWithin is how long doctor waits for a lock that nobody but another doctor takes.
const lockWithin = 2 * time.Second

// cacheDir takes a lock in the cache as the daemon would, which needs all that the cache needs.
func (d *doctor) cacheDir(ctx context.Context) {
	const consequence = "credentials are kept in memory only"
	if !d.ownDir("cache", d.paths.Cache, consequence) {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, lockWithin)
	defer cancel()
	before := len(d.findings)
	log := slog.New(noted{slog.DiscardHandler, func(message string) {
		d.warn("cache", "set "+api.EnvCacheDir+" to a directory on a disk of this machine", "%s: %s", d.paths.Cache, message)
	}})
	unlock, err := cache.Open(d.paths.Cache, log).Lock(ctx, cache.KeyOf("tcred doctor"))
	if err != nil {
		d.fail("cache", "is the disk full or read-only?", "%s; %s", err, consequence)
		return
	}
	unlock()
	if len(d.findings) == before {
		d.ok("cache", "%s", d.paths.Cache)
	}
}

// stateDir tries to write where the log and the key index are.
func (d *doctor) stateDir() {
	if !d.ownDir("state", d.paths.State, "there is no place for the log and the key index") {
		return
	}
	f, err := os.CreateTemp(d.paths.State, ".doctor-*")
	if err != nil {
		d.fail("state", "is the disk full or read-only?", "%v", err)
		return
	}
	f.Close()           // nothing was written
	os.Remove(f.Name()) // an empty file in our own directory
	d.ok("state", "%s", d.paths.State)
}

// ownDir reports whether a directory of ours is there and ours alone, and notes it if not. A missing one is made when
// it is needed.
func (d *doctor) ownDir(check, dir, consequence string) bool {
	err := socket.CheckDir(dir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		d.ok(check, "%s will be made when it is needed", dir)
	case err != nil:
		d.fail(check, "it must be a directory, no link, that is yours, with mode 0700: chmod 700 "+dir, "%s; %s", api.AsError(err).Message, consequence)
	}
	return err == nil
}

// noted hands a log's messages to a function.
type noted struct {
	slog.Handler
	note func(message string)
}

func (noted) Enabled(context.Context, slog.Level) bool { return true }

func (n noted) Handle(_ context.Context, r slog.Record) error {
	n.note(r.Message)
	return nil
}
