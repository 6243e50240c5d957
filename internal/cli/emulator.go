package cli

import (
	"bytes"
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"os"
	"regexp"
	"strings"

	"github.com/spf13/cobra"

	"github.com/tcred/tcred/api"
	"github.com/tcred/tcred/credential"
	"github.com/tcred/tcred/emulator"
)

// emulation is the command line of tcred emulator.
type emulation struct {
	address                    string
	secretID, secretKey, appID string
	root                       bool
	accountsFile               string // in the place of the four above
	tls                        bool
	caFile                     string // "" is a temporary one
}

func (a *app) emulatorCmd() *cobra.Command {
	var q emulation
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
			accounts, err := q.accounts()
			if err != nil {
				return err
			}
			if q.caFile != "" && !q.tls {
				return usage("", "--ca-file goes with --tls")
			}
			return a.runEmulator(cmd.Context(), q, accounts)
		},
	}
	cmd.Flags().StringVar(&q.address, "address", "127.0.0.1:8085", "where to listen; port 0 takes a free one")
	cmd.Flags().BoolVar(&q.root, "root", false, "the key is a root account's; else a sub-account's")
	cmd.Flags().StringVar(&q.secretID, "secret-id", "", "accept this key, which only the emulator knows; else a random one")
	cmd.Flags().StringVar(&q.secretKey, "secret-key", "", "goes with --secret-id; never a real one")
	cmd.Flags().StringVar(&q.appID, "app-id", "",
		"the account's APPID, which uid/ in a COS resource must name; else any will do")
	cmd.Flags().StringVar(&q.accountsFile, "accounts", "", "accept the keys in this JSON `FILE`, of one account or several")
	cmd.Flags().BoolVar(&q.tls, "tls", false, "speak https, with a certificate of an authority made at the start")
	cmd.Flags().StringVar(&q.caFile, "ca-file", "",
		"goes with --tls: write the authority's certificate to this `PATH`; else to a temporary file")
	return cmd
}

// accounts are those that the command line asks for.
func (q emulation) accounts() ([]emulator.Account, error) {
	if q.accountsFile != "" {
		if q.secretID != "" || q.secretKey != "" || q.appID != "" || q.root {
			return nil, usage("", "--accounts brings these itself: no --secret-id, --secret-key, --app-id or --root with it")
		}
		return readAccounts(q.accountsFile)
	}
	account := emulator.NewAccount(q.root)
	account.AppID = q.appID
	if (q.secretID == "") != (q.secretKey == "") {
		return nil, usage("", "--secret-id and --secret-key go together")
	}
	if q.secretID != "" {
		account.SecretID, account.SecretKey = q.secretID, credential.Secret(q.secretKey)
	}
	return []emulator.Account{account}, nil
}

func (a *app) runEmulator(ctx context.Context, q emulation, accounts []emulator.Account) error {
	l, err := net.Listen("tcp", q.address)
	if err != nil {
		return &api.Error{
			Code: api.Internal, Message: fmt.Sprintf("cannot listen on %s: %v", q.address, err),
			Hint: "--address 127.0.0.1:0 takes a free port",
		}
	}
	defer l.Close()
	lines := shellLines{{"TCRED_EMULATOR_URL", "http://" + reachable(l.Addr())}}
	if q.tls {
		config, caFile, err := emulatorTLS(q.address, q.caFile)
		if err != nil {
			return err
		}
		if q.caFile == "" {
			defer os.Remove(caFile) // it is of no use without the emulator
		}
		l = tls.NewListener(l, config)
		lines[0][1] = "https://" + reachable(l.Addr())
		lines = append(lines, [2]string{"TCRED_EMULATOR_CA_FILE", caFile})
	}
	if len(accounts) > 1 {
		lines = append(lines, [2]string{"TCRED_EMULATOR_ACCOUNTS", accountsJSON(accounts)})
	}
	lines = append(lines, [2]string{"TENCENTCLOUD_SECRET_ID", accounts[0].SecretID},
		[2]string{"TENCENTCLOUD_SECRET_KEY", accounts[0].SecretKey.Reveal()})
	if _, err := a.out.Write(lines.text()); err != nil {
		return fmt.Errorf("writing the answer: %w", err)
	}
	a.tell("emulator listens on %s; ^C ends it", lines[0][1])
	if at, ok := l.Addr().(*net.TCPAddr); ok && !at.IP.IsLoopback() {
		a.warn("the emulator is for tests, and other machines can reach it at %s; --address 127.0.0.1:%d keeps it on "+
			"this one; its orders below %s are for programs on this machine all the same", at, at.Port, emulator.AdminPath)
	}
	return emulator.Serve(ctx, l, emulator.New(emulator.Options{Accounts: accounts, Log: a.logger()}))
}

// reachable is the address to ask at what listens on at: of all addresses the loopback one, which is always there.
func reachable(at net.Addr) string {
	if tcp, ok := at.(*net.TCPAddr); ok && tcp.IP.IsUnspecified() {
		return fmt.Sprintf("127.0.0.1:%d", tcp.Port)
	}
	return at.String()
}

// shellLines are assignments for a shell, in their order: names and values.
type shellLines [][2]string

// plainValue needs no quotes in a shell.
var plainValue = regexp.MustCompile(`^[A-Za-z0-9_./:@%+=,\[\]-]*$`)

func (l shellLines) text() []byte {
	var out bytes.Buffer
	for _, line := range l {
		value := line[1]
		if !plainValue.MatchString(value) {
			value = "'" + strings.ReplaceAll(value, "'", `'\''`) + "'"
		}
		fmt.Fprintf(&out, "%s=%s\n", line[0], value)
	}
	return out.Bytes()
}
