package cli

import (
	"context"
	"fmt"
	"net"

	"github.com/spf13/cobra"

	"github.com/tcred/tcred/api"
	"github.com/tcred/tcred/credential"
	"github.com/tcred/tcred/emulator"
)

func (a *app) emulatorCmd() *cobra.Command {
	var address, secretID, secretKey, appID string
	var root bool
	cmd := &cobra.Command{
		Use:   "emulator",
		Short: "Run a strict local STS, for tests and CI",
		Long: `Emulator answers GetFederationToken and GetCallerIdentity on this machine as Tencent Cloud's STS
does: it verifies signatures, refuses what STS refuses, and issues credentials that only it knows.
It prints its URL and a key that it accepts, as lines for a shell. Tell it to fail, and ask what it
was asked, below /_emulator/ (see docs/emulator.md). Set endpoint in config.toml to its URL.`,
		Example: `  tcred emulator
  tcred emulator --address 127.0.0.1:8085 --root
  curl -d '{"code":"InternalError","times":3}' http://127.0.0.1:8085/_emulator/faults`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			account := emulator.NewAccount(root)
			account.AppID = appID
			if (secretID == "") != (secretKey == "") {
				return usage("", "--secret-id and --secret-key go together")
			}
			if secretID != "" {
				account.SecretID, account.SecretKey = secretID, credential.Secret(secretKey)
			}
			return a.runEmulator(cmd.Context(), address, account)
		},
	}
	cmd.Flags().StringVar(&address, "address", "127.0.0.1:8085", "where to listen; port 0 takes a free one")
	cmd.Flags().BoolVar(&root, "root", false, "the key is a root account's; else a sub-account's")
	cmd.Flags().StringVar(&secretID, "secret-id", "", "accept this key, which only the emulator knows; else a random one")
	cmd.Flags().StringVar(&secretKey, "secret-key", "", "goes with --secret-id; never a real one")
	cmd.Flags().StringVar(&appID, "app-id", "", "the account's APPID, which uid/ in a COS resource must name; else any will do")
	return cmd
}

func (a *app) runEmulator(ctx context.Context, address string, account emulator.Account) error {
	l, err := net.Listen("tcp", address)
	if err != nil {
		return &api.Error{
			Code: api.Internal, Message: fmt.Sprintf("cannot listen on %s: %v", address, err),
			Hint: "--address 127.0.0.1:0 takes a free port",
		}
	}
	fmt.Fprintf(a.out, "TCRED_EMULATOR_URL=http://%s\n", l.Addr())
	fmt.Fprintf(a.out, "TENCENTCLOUD_SECRET_ID=%s\n", account.SecretID)
	fmt.Fprintf(a.out, "TENCENTCLOUD_SECRET_KEY=%s\n", account.SecretKey.Reveal())
	a.tell("emulator listens on http://%s; ^C ends it", l.Addr())
	return emulator.Serve(ctx, l, emulator.New(emulator.Options{Accounts: []emulator.Account{account}, Log: a.logger()}))
}
