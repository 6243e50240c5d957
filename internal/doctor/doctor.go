// Package doctor looks for whatever could keep tcred from working on this machine.
package doctor

import (
	"context"
	"fmt"

	"github.com/tcred/tcred/api"
	"github.com/tcred/tcred/client"
	"github.com/tcred/tcred/internal/human"
	"github.com/tcred/tcred/internal/place/dirs"
	"github.com/tcred/tcred/internal/profile"
	"github.com/tcred/tcred/internal/service"
	"github.com/tcred/tcred/keystore"
)

// Level is how a check ended.
type Level string

// The levels, from good to bad.
const (
	OK   Level = "ok"
	Warn Level = "warn" // it works, but something should be done
	Fail Level = "fail"
)

// Finding is the outcome of one check.
type Finding struct {
	Level  Level  `json:"level"`
	Check  string `json:"check"`          // what was looked at: "config", "keystore", "daemon"…
	Detail string `json:"detail"`         // one line, with no secret in it
	Cure   string `json:"cure,omitempty"` // what to do about it
}

// Examine makes every check that can be made, in the environment of this process. It starts no daemon and raises no
// prompt.
func Examine(ctx context.Context) []Finding {
	x := &examination{}
	x.examine(ctx)
	return x.findings
}

// examination goes from check to check and notes what it finds.
type examination struct {
	places   dirs.Places
	set      *profile.Set // nil where places are unknown
	findings []Finding

	asked  bool // the daemon was, and its status is answer, or there is none for silent
	answer api.Status
	silent error
}

// status is what the daemon that runs says of itself, before anything else is asked of it.
func (x *examination) status(ctx context.Context) (api.Status, error) {
	if !x.asked {
		x.answer, x.silent = service.DaemonStatus(ctx, new(client.Client))
		x.asked = true
	}
	return x.answer, x.silent
}

func (x *examination) examine(ctx context.Context) {
	var err error
	if x.places, err = dirs.Find(); err != nil {
		x.failed("paths", err)
	} else {
		x.set = profile.Open(profile.Options{
			ConfigPath: x.places.Config, Index: keystore.Index{Path: x.places.Index()}, FileDir: x.places.Keys,
			Notify: func(line string) { x.warn("keystore", "", "%s", line) },
		})
		x.config(ctx)
		x.keystore(ctx)
		x.cacheDir(ctx)
		x.stateDir()
		x.memory()
		x.socket()
		x.daemon(ctx)
		x.network(ctx)
	}
	x.helper(ctx)
	x.plaintext()
}

func (x *examination) ok(check, format string, args ...any) {
	x.note(OK, check, "", fmt.Sprintf(format, args...))
}

func (x *examination) warn(check, cure, format string, args ...any) {
	x.note(Warn, check, cure, fmt.Sprintf(format, args...))
}

func (x *examination) fail(check, cure, format string, args ...any) {
	x.note(Fail, check, cure, fmt.Sprintf(format, args...))
}

// failed is fail with an error's own words; its hint is the cure.
func (x *examination) failed(check string, err error) {
	e := api.AsError(err)
	x.note(Fail, check, e.Hint, e.Message)
}

func (x *examination) note(level Level, check, cure, detail string) {
	x.findings = append(x.findings, Finding{level, check, human.OneLine(detail), human.OneLine(cure)})
}
