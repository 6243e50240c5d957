package cli

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/tcred/tcred/client"
	"github.com/tcred/tcred/credential"
	"github.com/tcred/tcred/internal/broker"
	"github.com/tcred/tcred/internal/cmdline"
	"github.com/tcred/tcred/internal/place/dirs"
)

// getOptions are what get and exec ask for.
type getOptions struct {
	minTTL   string
	noDaemon bool
}

func (o *getOptions) flags(cmd *cobra.Command) {
	takeProfile(cmd)
	cmd.Flags().StringVar(&o.minTTL, "min-ttl", "", "life that must be left, such as 20m; met, or it is an error")
	cmd.Flags().BoolVar(&o.noDaemon, "no-daemon", false, "work without the daemon, on the same cache")
}

func (a *app) getCmd() *cobra.Command {
	var o getOptions
	var format string
	var unset bool
	cmd := &cobra.Command{
		Use:   "get [PROFILE]",
		Short: "Print a credential",
		Long: `Get prints a short-lived credential of the profile. The formats are
  process     what AWS tools expect of a credential_process (the default)
  tencent     as STS answers GetFederationToken
  cos         as the COS STS SDKs answer
  tccli       a ~/.tccli/NAME.credential file
  env, fish, powershell   assignments for a shell, which unset what would lead a tool elsewhere; with
              --unset those that undo them` + profileHelp,
		Example: `  tcred get
  tcred get upload --format tencent
  eval "$(tcred get upload --format env)"
  eval "$(tcred get --unset)"`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			f, err := credential.ParseFormat(format)
			if err != nil {
				return cmdline.Error("tcred get --help", "%s", err)
			}
			if unset {
				return a.unset(cmd, args, f)
			}
			w, err := profileOf(cmd, args)
			if err != nil {
				return err
			}
			body, err := a.fetch(cmd.Context(), w.name, o, f)
			if err != nil {
				return w.explain(err)
			}
			_, err = a.out.Write(body)
			return err
		},
	}
	o.flags(cmd)
	cmd.Flags().StringVar(&format, "format", string(credential.Process), "one of "+formatNames())
	cmd.Flags().BoolVar(&unset, "unset", false, "print what undoes --format env, fish or powershell")
	return cmd
}

// unset prints what undoes the assignments of a format, of env where none is given.
func (a *app) unset(cmd *cobra.Command, args []string, f credential.Format) error {
	if !cmd.Flags().Changed("format") {
		f = credential.Env
	}
	if len(args) > 0 || cmd.Flags().Changed("profile") || cmd.Flags().Changed("min-ttl") {
		return cmdline.Error("tcred get --unset --format "+string(f), "--unset goes with --format alone")
	}
	text, err := credential.Unset(f)
	if err != nil {
		return cmdline.Error("tcred get --unset --format env", "%s", err)
	}
	_, err = a.out.Write(text)
	return err
}

// fetch gets a credential in format f, from the daemon or without it. The name "" is theirs to choose.
func (a *app) fetch(ctx context.Context, name string, o getOptions, f credential.Format) ([]byte, error) {
	minTTL, err := broker.ParseMinTTL(o.minTTL)
	if err != nil {
		return nil, err
	}
	if o.noDaemon || a.keyIsHere() {
		c, err := a.fetchHere(ctx, name, minTTL)
		if err != nil {
			return nil, err
		}
		return c.Encode(f)
	}
	return a.daemon().Get(ctx, name, client.Options{Format: f, MinTTL: minTTL})
}

// fetchHere gets a credential in this process.
func (a *app) fetchHere(ctx context.Context, name string, minTTL time.Duration) (credential.Credential, error) {
	p, err := dirs.Find()
	if err != nil {
		return credential.Credential{}, err
	}
	began, set := time.Now(), a.profiles(p)
	if name == "" {
		if name, err = set.Choose(ctx); err != nil {
			return credential.Credential{}, err
		}
	}
	a.served = name
	a.trace("config %s and the key index read in %s", p.Config, time.Since(began))
	if err := a.openStore(ctx, set); err != nil {
		return credential.Credential{}, err
	}
	done := a.await("the keystore and STS")
	began = time.Now()
	c, err := a.broker(p, set).Answer(ctx, name, minTTL)
	done()
	if err == nil {
		a.trace("no daemon asked: profile %q from %s in %s", name, c.Layer, time.Since(began))
	}
	a.passProblem(set, err)
	return c.Credential, lockedHere(set, err)
}

func formatNames() string {
	names := make([]string, len(credential.Formats))
	for i, f := range credential.Formats {
		names[i] = fmt.Sprint(f)
	}
	return strings.Join(names, ", ")
}
