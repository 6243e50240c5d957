package cli

import (
	"github.com/spf13/cobra"

	"github.com/tcred/tcred/internal/emulation"
)

func (a *app) emulatorCmd() *cobra.Command {
	var o emulation.Options
	cmd := &cobra.Command{
		Use:   "emulator",
		Short: "Run a strict local STS, for tests and CI",
		Long: `Emulator answers GetFederationToken and GetCallerIdentity on this machine as Tencent Cloud's STS
does: it verifies signatures, refuses what STS refuses, and issues credentials that only it knows.
It prints its URL and a key that it accepts, as lines for a shell. Tell it to fail, and ask what it
was asked, below /_emulator/ (see docs/emulator.md). Set endpoint in config.toml to its URL, and
with --tls ca_file to the file that it names.`,
		Example: `  tcred emulator
  tcred emulator --address 127.0.0.1:8085 --root
  tcred emulator --accounts accounts.json --tls --ca-file ca.pem
  curl -d '{"code":"InternalError","times":3}' http://127.0.0.1:8085/_emulator/faults`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return emulation.Run(cmd.Context(), o, a.out, emulation.Voice{Warn: a.warn, Tell: a.tell, Log: a.logger()})
		},
	}
	cmd.Flags().StringVar(&o.Address, "address", "127.0.0.1:8085", "where to listen; port 0 takes a free one")
	cmd.Flags().BoolVar(&o.Root, "root", false, "the key is a root account's; else a sub-account's")
	cmd.Flags().StringVar(&o.SecretID, "secret-id", "", "accept this key, which only the emulator knows; else a random one")
	cmd.Flags().StringVar(&o.SecretKey, "secret-key", "", "goes with --secret-id; never a real one")
	cmd.Flags().StringVar(&o.AppID, "app-id", "",
		"the account's APPID, which uid/ in a COS resource must name; else any will do")
	cmd.Flags().StringVar(&o.AccountsFile, "accounts", "", "accept the keys in this JSON `FILE`, of one account or several")
	cmd.Flags().BoolVar(&o.TLS, "tls", false, "speak https, with a certificate of an authority made at the start")
	cmd.Flags().StringVar(&o.CAFile, "ca-file", "",
		"goes with --tls: write the authority's certificate to this `PATH`; else to a temporary file")
	return cmd
}
