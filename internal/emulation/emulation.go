// Package emulation is tcred emulator: the emulator on an address of this machine, with the accounts that the command
// line or a file names, over TLS where that is asked for.
package emulation

import (
	"bytes"
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"regexp"
	"strings"

	"github.com/tcred/tcred/api"
	"github.com/tcred/tcred/credential"
	"github.com/tcred/tcred/emulator"
	"github.com/tcred/tcred/internal/cmdline"
)

// Options is the command line of tcred emulator.
type Options struct {
	Address                    string
	SecretID, SecretKey, AppID string
	Root                       bool
	AccountsFile               string // in the place of the four above
	TLS                        bool
	CAFile                     string // "" is a temporary one
}

// accounts are those that the command line asks for.
func (o Options) accounts() ([]emulator.Account, error) {
	if o.AccountsFile != "" {
		if o.SecretID != "" || o.SecretKey != "" || o.AppID != "" || o.Root {
			return nil, cmdline.Error("", "--accounts brings these itself: no --secret-id, --secret-key, --app-id or --root with it")
		}
		return readAccounts(o.AccountsFile)
	}
	account := emulator.NewAccount(o.Root)
	account.AppID = o.AppID
	if (o.SecretID == "") != (o.SecretKey == "") {
		return nil, cmdline.Error("", "--secret-id and --secret-key go together")
	}
	if o.SecretID != "" {
		account.SecretID, account.SecretKey = o.SecretID, credential.Secret(o.SecretKey)
	}
	return []emulator.Account{account}, nil
}

// Voice is what Run says to people: Warn and Tell take a format, Log takes what the emulator notes.
type Voice struct {
	Warn, Tell func(format string, args ...any)
	Log        *slog.Logger
}

// Run serves until ctx ends. It prints to out where it listens and which keys it accepts, as lines for a shell.
func Run(ctx context.Context, o Options, out io.Writer, voice Voice) error {
	accounts, err := o.accounts()
	if err != nil {
		return err
	}
	if o.CAFile != "" && !o.TLS {
		return cmdline.Error("", "--ca-file goes with --tls")
	}
	l, err := net.Listen("tcp", o.Address)
	if err != nil {
		return &api.Error{
			Code: api.Internal, Message: fmt.Sprintf("cannot listen on %s: %v", o.Address, err),
			Hint: "--address 127.0.0.1:0 takes a free port",
		}
	}
	defer l.Close()
	lines := shellLines{{"TCRED_EMULATOR_URL", "http://" + reachable(l.Addr())}}
	if o.TLS {
		config, caFile, err := emulatorTLS(o.Address, o.CAFile)
		if err != nil {
			return err
		}
		if o.CAFile == "" {
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
	if _, err := out.Write(lines.text()); err != nil {
		return fmt.Errorf("writing the answer: %w", err)
	}
	voice.Tell("emulator listens on %s; ^C ends it", lines[0][1])
	if at, ok := l.Addr().(*net.TCPAddr); ok && !at.IP.IsLoopback() {
		voice.Warn("the emulator is for tests, and other machines can reach it at %s; --address 127.0.0.1:%d keeps it on "+
			"this one; its orders below %s are for programs on this machine all the same", at, at.Port, emulator.AdminPath)
	}
	return emulator.Serve(ctx, l, emulator.New(emulator.Options{Accounts: accounts, Log: voice.Log}))
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
	var text bytes.Buffer
	for _, line := range l {
		value := line[1]
		if !plainValue.MatchString(value) {
			value = "'" + strings.ReplaceAll(value, "'", `'\''`) + "'"
		}
		fmt.Fprintf(&text, "%s=%s\n", line[0], value)
	}
	return text.Bytes()
}
