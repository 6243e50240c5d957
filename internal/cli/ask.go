package cli

import (
	"context"
	"fmt"
	"os"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/tcred/tcred/api"
	"github.com/tcred/tcred/client"
	"github.com/tcred/tcred/internal/cmdline"
	"github.com/tcred/tcred/internal/human"
	"github.com/tcred/tcred/internal/profile"
	"github.com/tcred/tcred/internal/say"
	"github.com/tcred/tcred/internal/socket"
	"github.com/tcred/tcred/internal/tty"
)

// profileHelp ends the help of every command that takes a profile.
const profileHelp = `

PROFILE is the argument or --profile, else $TCRED_PROFILE, else default_profile in config.toml, else the
profile or key "default", else the only key.`

// asked is the profile that a command is about. The name "" is the daemon's to choose.
type asked struct {
	name string
	by   string // what named it, where the command line did not
}

// takeProfile gives a command the flag --profile.
func takeProfile(cmd *cobra.Command) { cmd.Flags().String("profile", "", "the same as PROFILE") }

// profileOf is the profile that a command line or the environment names.
func profileOf(cmd *cobra.Command, args []string) (asked, error) {
	names := args
	if flag := cmd.Flags().Lookup("profile"); flag.Changed {
		names = append(names[:len(names):len(names)], flag.Value.String())
	}
	w := asked{name: os.Getenv(api.EnvProfile), by: api.EnvProfile}
	switch {
	case slices.ContainsFunc(names, human.LooksSecret): // asked about, it would be in the daemon's log
		return w, looksSecret()
	case len(names) > 1:
		return w, cmdline.Error(cmd.CommandPath()+" --help", "more than one profile: %q and %q", names[0], names[1])
	case len(names) == 1:
		w = asked{name: names[0]}
	case w.name == "":
		return asked{}, nil
	}
	switch {
	case api.ValidName(w.name):
		return w, nil
	case w.by != "":
		return w, cmdline.Error(api.NameHint, "%q in %s cannot be a profile's name", w.name, w.by)
	}
	return w, cmdline.Error(api.NameHint, "%q cannot be a profile's name", w.name)
}

// explain is err with the words who named the profile, where it says that there is none.
func (w asked) explain(err error) error {
	if w.by == "" || api.CodeOf(err) != api.NoProfile {
		return err
	}
	e := *api.AsError(err)
	e.Message = human.NamedBy(e.Message, w.name, w.by)
	return &e
}

// settle finds the daemon's choice for a request that must name its profile.
func (a *app) settle(ctx context.Context, w asked) (asked, error) {
	if w.name != "" {
		return w, nil
	}
	st, err := a.daemon().Status(ctx)
	if err != nil {
		return w, err
	}
	if st.DefaultProfile == "" && st.Problem != nil {
		return w, st.Problem.Err()
	}
	w = asked{name: st.DefaultProfile}
	if w.name != api.DefaultProfile {
		w.by = "default_profile in " + st.Config
	}
	return w, nil
}

// daemon is a client that starts the daemon if there is none.
func (a *app) daemon() *client.Client {
	c := a.running()
	c.Binary, _ = socket.BinaryBeside()      // else it starts none, and says so
	c.Person = tty.Is(a.in) && tty.Is(a.err) // a tool that spawned us on a terminal reads our stderr itself
	return c
}

// running is a client of the daemon that runs. It starts none.
func (a *app) running() *client.Client {
	return &client.Client{Warn: a.pass, Observe: a.observe}
}

// pass hands a warning of the daemon on, once a command.
func (a *app) pass(text string) {
	if !a.said[text] {
		a.note(text)
		a.warn("%s", text)
	}
}

// passProblem says what a daemon would say of the config that this process reads, beside an outcome that does not say
// it.
func (a *app) passProblem(set *profile.Set, outcome error) {
	if err := set.Problem(); err != nil && api.CodeOf(outcome) != api.ConfigInvalid {
		a.pass(say.PartlyUnused(err))
	}
}

// note remembers what was said.
func (a *app) note(text string) {
	if a.said == nil {
		a.said = make(map[string]bool)
	}
	a.said[text] = true
}

// observe tells a person who waits for what, and with --debug who answered and how long it took.
func (a *app) observe(request string) func(client.Exchange) {
	done := a.await("the daemon")
	return func(x client.Exchange) {
		done()
		if x.Profile != "" {
			a.served = x.Profile
		}
		line := fmt.Sprintf("%s on %s, process %d", request, x.Socket, x.PID)
		if x.Version != "" {
			line += ", version " + x.Version
		}
		if x.Layer != "" {
			line += fmt.Sprintf(", profile %q from %s", x.Profile, x.Layer)
		}
		line += fmt.Sprintf("; connected in %s, answered in %s", x.Connect, x.Total-x.Connect)
		if x.Err != nil {
			line += ": " + x.Err.Error()
		}
		a.trace("%s", line)
	}
}

// trace says with --debug what goes on.
func (a *app) trace(format string, args ...any) {
	if a.debug {
		fmt.Fprintln(a.err, say.DebugPrefix+human.OneLine(fmt.Sprintf(format, args...)))
	}
}

// await tells a person at a terminal what the command waits for, if done is not called within say.Patience. It says the
// same only once.
func (a *app) await(what string) (done func()) {
	line := say.Waiting(what)
	if !tty.Is(a.err) || a.said[line] {
		return func() {}
	}
	timer := time.AfterFunc(say.Patience, func() { fmt.Fprint(a.err, line) })
	return func() {
		if !timer.Stop() {
			a.note(line)
		}
	}
}
