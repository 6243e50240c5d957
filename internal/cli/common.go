package cli

import (
	"encoding/json"
	"fmt"
	"log/slog"

	"github.com/tcred/tcred/cache"
	"github.com/tcred/tcred/internal/broker"
	"github.com/tcred/tcred/internal/cmdline"
	"github.com/tcred/tcred/internal/place/dirs"
	"github.com/tcred/tcred/internal/process"
	"github.com/tcred/tcred/internal/profile"
	"github.com/tcred/tcred/internal/tty"
	"github.com/tcred/tcred/keystore"
)

// indexOf is the key index of p.
func indexOf(p dirs.Places) keystore.Index { return keystore.Index{Path: p.Index()} }

// profiles reads config and keys in this process, for a command that works without the daemon.
func (a *app) profiles(p dirs.Places) *profile.Set {
	process.Hide() // the permanent key may come into this process
	return profile.Open(profile.Options{
		ConfigPath: p.Config, Index: indexOf(p), FileDir: p.Keys,
		Interactive: tty.Is(a.in), Notify: func(line string) { a.warn("%s", line) }, Log: a.logger(),
	})
}

// broker answers in this process, with the same cache and locks as the daemon.
func (a *app) broker(p dirs.Places, set *profile.Set) *broker.Broker {
	return newBroker(p, set, a.logger())
}

// newBroker is the broker over set and the cache of p.
func newBroker(p dirs.Places, set *profile.Set, log *slog.Logger) *broker.Broker {
	return broker.New(broker.Options{Profiles: set, Store: cache.Open(p.Cache, log), Log: log, Rate: set.STSRate()})
}

// logger is for commands: warnings, or all of it with --debug.
func (a *app) logger() *slog.Logger {
	level := slog.LevelError + 1 // an error comes back to the command, which says it once
	if a.debug {
		level = slog.LevelDebug
	}
	return slog.New(slog.NewTextHandler(a.err, &slog.HandlerOptions{Level: level}))
}

// looksSecret is the error for a word that is not repeated.
func looksSecret() error {
	return cmdline.Error("its arguments are in the shell's history now: delete them there; tcred add asks for a key",
		"an argument looks like a SecretId or a SecretKey")
}

// printJSON writes v as indented JSON.
func (a *app) printJSON(v any) error {
	e := json.NewEncoder(a.out)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	if err := e.Encode(v); err != nil {
		return fmt.Errorf("writing the answer: %w", err)
	}
	return nil
}

// terminal is where a person is asked.
func (a *app) terminal() tty.Terminal { return tty.Terminal{In: a.in, Out: a.err} }
