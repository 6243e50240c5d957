package cli

import (
	"context"
	"fmt"
	"time"

	"github.com/tcred/tcred/cache"
	"github.com/tcred/tcred/credential"
	"github.com/tcred/tcred/internal/human"
	"github.com/tcred/tcred/internal/keys"
	"github.com/tcred/tcred/internal/place/dirs"
	"github.com/tcred/tcred/internal/tty"
)

// agreed makes sure that a key which takes another's place is of the same account, or that somebody wants it all the
// same.
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

// farewell says what the old key still opens, until when, and where to end that.
func (a *app) farewell(ctx context.Context, p dirs.Places, r keys.Replacement, old keys.Issued) {
	if !r.Happens() {
		return
	}
	until := "it issued none here that lives"
	if last := old.Drop(ctx, cache.Open(p.Cache, a.logger())); last.After(time.Now()) {
		until = "those that it issued here stay valid until " + last.Local().Format(time.DateTime)
	}
	a.tell("credentials of the old key: %s; others for %s at most from when they were issued",
		until, human.Span(r.LongestLife()))
	a.tell("the old SecretId %s goes on to work until you disable it: %s",
		credential.Mask(r.Old.SecretID), r.ConsoleURL())
}
