package emulation

import (
	"bytes"
	"cmp"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"os"
	"path/filepath"

	"github.com/tcred/tcred/api"
	"github.com/tcred/tcred/credential"
	"github.com/tcred/tcred/emulator"
	"github.com/tcred/tcred/internal/cmdline"
	"github.com/tcred/tcred/internal/disk"
)

// accountJSON is one account of the file that --accounts names, and of what is printed for several.
type accountJSON struct {
	SecretID  string `json:"secret_id"`
	SecretKey string `json:"secret_key"`
	AccountID string `json:"account_id"`
	UIN       string `json:"uin"`
	AppID     string `json:"app_id"`
	Root      bool   `json:"root"`
}

const (
	maxFile      = 1 << 20 // bytes, of either file
	accountsHint = `like [{"root":true},{"secret_id":"AKID…","secret_key":"…"}]; what an account leaves out is made up`
)

// readAccounts reads the file of --accounts, and makes up what it leaves out.
func readAccounts(path string) ([]emulator.Account, error) {
	text, err := disk.Read(path, maxFile)
	if err != nil {
		return nil, cmdline.Error("", "cannot read --accounts: %v", err)
	}
	var in []accountJSON
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	if err := d.Decode(&in); err != nil {
		return nil, cmdline.Error(accountsHint, "%s is not a list of accounts: %v", path, err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) || len(in) == 0 {
		return nil, cmdline.Error(accountsHint, "%s is not one list of accounts with something in it", path)
	}
	var accounts []emulator.Account
	place := make(map[string]int)
	for i, one := range in {
		account, err := one.account()
		if err != nil {
			return nil, cmdline.Error("", "%s: account %d: %v", path, i+1, err)
		}
		if n := place[account.SecretID]; n != 0 {
			return nil, cmdline.Error("", "%s: accounts %d and %d have the same secret_id", path, n, i+1)
		}
		place[account.SecretID] = i + 1
		accounts = append(accounts, account)
	}
	return accounts, nil
}

// account is a with what it leaves out made up, but for the APPID: without one any will do.
func (a accountJSON) account() (emulator.Account, error) {
	if (a.SecretID == "") != (a.SecretKey == "") {
		return emulator.Account{}, errors.New("secret_id and secret_key go together")
	}
	if a.Root && a.UIN != "" && a.AccountID != "" && a.UIN != a.AccountID {
		return emulator.Account{}, errors.New("the uin of a root account is its account_id")
	}
	account := emulator.NewAccount(a.Root)
	account.AppID = a.AppID
	if a.SecretID != "" {
		account.SecretID, account.SecretKey = a.SecretID, credential.Secret(a.SecretKey)
	}
	account.AccountID, account.UIN = cmp.Or(a.AccountID, account.AccountID), cmp.Or(a.UIN, account.UIN)
	if a.Root {
		account.AccountID = cmp.Or(a.AccountID, a.UIN, account.AccountID)
		account.UIN = account.AccountID
	}
	if account.Root() != a.Root {
		return emulator.Account{}, errors.New("its uin is its account_id, as a root account's alone is")
	}
	return account, nil
}

// accountsJSON is them on one line, as --accounts reads them.
func accountsJSON(accounts []emulator.Account) string {
	var list []accountJSON
	for _, a := range accounts {
		list = append(list, accountJSON{a.SecretID, a.SecretKey.Reveal(), a.AccountID, a.UIN, a.AppID, a.Root()})
	}
	text, err := json.Marshal(list)
	if err != nil {
		return "[]" // strings and a bool: it cannot fail
	}
	return string(text)
}

// emulatorTLS makes a certificate for address too, and writes its authority's to caFile, or to a temporary file
// if that is "". It returns the path, absolute.
func emulatorTLS(address, caFile string) (*tls.Config, string, error) {
	var more []string
	if host, _, err := net.SplitHostPort(address); err == nil && host != "" && !net.ParseIP(host).IsUnspecified() {
		more = append(more, host)
	}
	config, ca, err := emulator.ServerTLS(more...)
	if err != nil {
		return nil, "", err
	}
	path, err := writeCA(caFile, ca)
	if err != nil {
		return nil, "", &api.Error{
			Code: api.Internal, Message: fmt.Sprintf("cannot write the certificate: %v", err),
			Hint: "--ca-file names another file",
		}
	}
	return config, path, nil
}

func writeCA(path string, ca []byte) (string, error) {
	if path == "" {
		f, err := os.CreateTemp("", "tcred-emulator-*.pem")
		if err != nil {
			return "", err
		}
		_, err = f.Write(ca)
		return f.Name(), cmp.Or(err, f.Close())
	}
	path, err := filepath.Abs(path)
	if err != nil {
		return "", err
	}
	if err := replaceable(path); err != nil {
		return "", err
	}
	return path, os.WriteFile(path, ca, 0o644) // whoever tests may read it: it is no secret
}

// replaceable lets only a certificate that an emulator wrote be replaced.
func replaceable(path string) error {
	text, err := disk.Read(path, maxFile)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	if block, rest := pem.Decode(text); block != nil && len(rest) == 0 {
		if cert, err := x509.ParseCertificate(block.Bytes); err == nil && cert.Subject.CommonName == emulator.AuthorityName {
			return nil
		}
	}
	return fmt.Errorf("%s is there and no emulator wrote it", path)
}
