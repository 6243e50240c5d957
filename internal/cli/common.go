package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"

	"golang.org/x/term"

	"github.com/tcred/tcred/api"
	"github.com/tcred/tcred/cache"
	"github.com/tcred/tcred/client"
	"github.com/tcred/tcred/daemon"
	"github.com/tcred/tcred/internal/place/dirs"
	"github.com/tcred/tcred/internal/profile"
	"github.com/tcred/tcred/internal/socket"
	"github.com/tcred/tcred/keystore"
)

// indexOf is the key index of p.
func indexOf(p dirs.Places) keystore.Index { return keystore.Index{Path: p.Index()} }

// profiles reads config and keys in this process, for a command that works without the daemon.
func (a *app) profiles(p dirs.Places) *profile.Set {
	hide() // the permanent key may come into this process
	return profile.Open(profile.Options{
		ConfigPath: p.Config, Index: indexOf(p), FileDir: p.Keys,
		Interactive: isTerminal(a.in), Notify: func(line string) { a.warn("%s", line) }, Log: a.logger(),
	})
}

// keystore hardens this process, which is to hold a permanent key or a passphrase, and finds the keystore.
func (a *app) keystore() (dirs.Places, *profile.Set, keystore.Store, error) {
	harden()
	p, err := dirs.Find()
	if err != nil {
		return p, nil, nil, err
	}
	set := a.profiles(p)
	store, err := set.Store()
	return p, set, store, err
}

// lockedHere is err with another cure where this very process found the file keystore locked: one that the daemon has
// open is no help to it.
func lockedHere(set *profile.Set, err error) error {
	store, unknown := set.Store()
	if unknown != nil || store.Name() != "file" || api.CodeOf(err) != api.KeystoreLocked {
		return err
	}
	e := *api.AsError(err)
	e.Hint = "passphrase_file under [keystore] in config.toml, or run it at a terminal, which asks"
	return &e
}

// openInDaemon reports whether a daemon that runs has the file keystore open. To unlock it with no passphrase asks no
// more than that.
func openInDaemon(ctx context.Context) bool {
	st, err := daemonStatus(ctx) // which starts none
	return err == nil && st.Keystore == "file" && new(client.Client).Unlock(ctx, "", 0) == nil
}

// broker answers in this process, with the same cache and locks as the daemon.
func (a *app) broker(p dirs.Places, set *profile.Set) *daemon.Broker {
	log := a.logger()
	return daemon.NewBroker(daemon.Options{Profiles: set, Cache: cache.Open(p.Cache, log), Log: log, Rate: stsRate(set)})
}

// logger is for commands: warnings, or all of it with --debug.
func (a *app) logger() *slog.Logger {
	level := slog.LevelError + 1 // an error comes back to the command, which says it once
	if a.debug {
		level = slog.LevelDebug
	}
	return slog.New(slog.NewTextHandler(a.err, &slog.HandlerOptions{Level: level}))
}

// daemon is a client that starts the daemon if there is none.
func (a *app) daemon() *client.Client {
	tcred, _ := socket.Beside() // else it starts none, and says so
	return &client.Client{Binary: tcred}
}

// profileArg is the profile a command is about: the argument, else $TCRED_PROFILE, else "default".
func profileArg(args []string) (string, error) {
	name := api.DefaultProfile
	if env := os.Getenv(api.EnvProfile); env != "" {
		name = env
	}
	if len(args) > 0 {
		name = args[0]
	}
	if !api.ValidName(name) {
		return "", usage(api.NameHint, "%q cannot be a profile's name", name)
	}
	return name, nil
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

// isTerminal reports whether a person is at the other end of r.
func isTerminal(r any) bool {
	f, ok := r.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}
