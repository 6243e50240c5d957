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
	"github.com/tcred/tcred/internal/place/dirs"
)

// getOptions are what get and exec ask for.
type getOptions struct {
	minTTL   string
	noDaemon bool
}

func (o *getOptions) flags(cmd *cobra.Command) {
	cmd.Flags().StringVar(&o.minTTL, "min-ttl", "", "life that must be left, such as 20m; met, or it is an error")
	cmd.Flags().BoolVar(&o.noDaemon, "no-daemon", false, "work without the daemon, on the same cache")
}

func (a *app) getCmd() *cobra.Command {
	var o getOptions
	var format string
	cmd := &cobra.Command{
		Use:   "get [PROFILE]",
		Short: "Print a credential",
		Long: `Get prints a short-lived credential of the profile. The formats are
  process     what AWS tools expect of a credential_process (the default)
  tencent     as STS answers GetFederationToken
  cos         as the COS STS SDKs answer
  tccli       a ~/.tccli/NAME.credential file
  env, fish, powershell   assignments for a shell`,
		Example: `  tcred get
  tcred get upload --format tencent
  eval "$(tcred get upload --format env)"`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			f, err := credential.ParseFormat(format)
			if err != nil {
				return usage("tcred get --help", "%s", err)
			}
			name, err := profileArg(args)
			if err != nil {
				return err
			}
			body, err := a.fetch(cmd.Context(), name, o, f)
			if err != nil {
				return err
			}
			_, err = a.out.Write(body)
			return err
		},
	}
	o.flags(cmd)
	cmd.Flags().StringVar(&format, "format", string(credential.Process), "one of "+formatNames())
	return cmd
}

// fetch gets a credential in format f, from the daemon or without it.
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
	set := a.profiles(p)
	if err := a.openStore(ctx, set); err != nil {
		return credential.Credential{}, err
	}
	c, err := a.broker(p, set).Credential(ctx, name, minTTL)
	return c, lockedHere(set, err)
}

func formatNames() string {
	names := make([]string, len(credential.Formats))
	for i, f := range credential.Formats {
		names[i] = fmt.Sprint(f)
	}
	return strings.Join(names, ", ")
}
