package cli

import (
	"context"
	"fmt"
	"time"

	"github.com/tcred/tcred/cache"
	"github.com/tcred/tcred/credential"
	"github.com/tcred/tcred/internal/config"
	"github.com/tcred/tcred/internal/human"
	"github.com/tcred/tcred/internal/keys"
	"github.com/tcred/tcred/internal/place/dirs"
	"github.com/tcred/tcred/internal/profile"
	"github.com/tcred/tcred/internal/service"
	"github.com/tcred/tcred/internal/tty"
	"github.com/tcred/tcred/keystore"
)

// agreed makes sure that a key which takes another's place is of the same account, or that somebody wants it all the same.
func (a *app) agreed(ctx context.Context, w *adding, r keys.Replacement) (bool, error) {
	if r.Doubt() == "" || w.options.other {
		return true, nil
	}
	refused := r.Refused(w.options.again())
	if !tty.Is(a.in) {
		return false, refused
	}
	a.warn("%v", refused)
	return a.terminal().Yes(ctx, fmt.Sprintf("put it in the place of key %q?", w.Name))
}

// again is the command that was given, but for the key itself, with a yes.
func (o addOptions) again() string {
	command := "tcred add " + o.name
	if o.replace {
		command += " --replace"
	}
	if o.noVerify {
		command += " --no-verify"
	}
	command += " --other-account"
	switch {
	case o.from != "":
		command += " --from " + o.from
	case o.stdin:
		command += " --secret-id AKID... --secret-key-stdin < FILE"
	}
	return command
}

// issuedBefore is what is cached of a key that is to be replaced.
type issuedBefore struct {
	dir  *cache.Dir
	keys []cache.Key
	last time.Time // to expire in the daemon's memory
}

// issuedBy finds the credentials that the old key of r issued.
func (a *app) issuedBy(ctx context.Context, p dirs.Places, set *profile.Set, r keys.Replacement) issuedBefore {
	b := issuedBefore{dir: cache.Open(p.Cache, a.logger())}
	if !r.Happens() {
		return b
	}
	for _, name := range r.Profiles {
		if p, err := set.Lookup(ctx, name); err == nil {
			b.keys = append(b.keys, cache.KeyOf(p.Source.ID()))
		}
	}
	if st, err := service.DaemonStatus(ctx, a.running()); err == nil {
		for _, p := range st.Profiles {
			if p.Key == r.Old.Name && p.Expires.After(b.last) {
				b.last = p.Expires
			}
		}
	}
	return b
}

// farewell says what the old key still opens, until when, and where to end that. What it left in the cache is of no use
// any more, and goes.
func (a *app) farewell(ctx context.Context, r keys.Replacement, b issuedBefore) {
	if !r.Happens() {
		return
	}
	for _, key := range b.keys {
		if expires, err := b.dir.Delete(ctx, key); err == nil && expires.After(b.last) {
			b.last = expires
		}
	}
	until := "it issued none here that lives"
	if b.last.After(time.Now()) {
		until = "those that it issued here stay valid until " + b.last.Add(credential.Margin).Local().Format(time.DateTime)
	}
	most := config.MaxDuration
	if r.Old.Type == keystore.IdentityRoot {
		most = config.MaxRootDuration
	}
	a.tell("credentials of the old key: %s; others for %s at most from when they were issued", until, human.Span(most))
	a.tell("the old SecretId %s goes on to work until you disable it: %s", credential.Mask(r.Old.SecretID), r.ConsoleURL())
}
