package credential

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"time"
)

// Format names a way to write a credential.
type Format string

// The formats. Each one's text ends in a newline.
const (
	Process    Format = "process"    // AWS credential_process, version 1
	Tencent    Format = "tencent"    // as STS answers GetFederationToken
	COS        Format = "cos"        // as the COS STS SDKs answer
	TCCLI      Format = "tccli"      // a ~/.tccli/P.credential file
	Env        Format = "env"        // export lines for POSIX shells
	Fish       Format = "fish"       // set lines for fish
	PowerShell Format = "powershell" // $Env: lines for PowerShell
)

// Formats lists every format, the default first.
var Formats = []Format{Process, Tencent, COS, TCCLI, Env, Fish, PowerShell}

// powerShellQuote doubles every character that ends a string between single quotes in PowerShell: it takes the
// typographic ones for the same.
var powerShellQuote = strings.NewReplacer("'", "''", "\u2018", "\u2018\u2018", "\u2019", "\u2019\u2019",
	"\u201a", "\u201a\u201a", "\u201b", "\u201b\u201b")

// ParseFormat finds the format of that name; "" is Process.
func ParseFormat(name string) (Format, error) {
	if name == "" {
		return Process, nil
	}
	names := make([]string, len(Formats))
	for i, f := range Formats {
		if string(f) == name {
			return f, nil
		}
		names[i] = string(f)
	}
	return "", fmt.Errorf("unknown format %q; known are %s", name, strings.Join(names, ", "))
}

// Encode writes c in format f.
func (c Credential) Encode(f Format) ([]byte, error) {
	switch f {
	case Process:
		return encodeJSON(process{1, c.SecretID, c.SecretKey.Reveal(), c.Token.Reveal(), c.expiration()})
	case Tencent:
		return encodeJSON(tencent{
			tencentTriple{c.Token.Reveal(), c.SecretID, c.SecretKey.Reveal()}, c.Expires.Unix(), c.expiration(),
		})
	case COS:
		return encodeJSON(cos{
			cosTriple{c.SecretID, c.SecretKey.Reveal(), c.Token.Reveal()},
			c.Issued.Unix(), c.Expires.Unix(), c.expiration(), c.RequestID,
		})
	case TCCLI:
		return encodeJSON(tccli{c.SecretID, c.SecretKey.Reveal(), c.Token.Reveal()})
	case Env:
		return c.assignments("export %s='%s'\n", strings.NewReplacer("'", `'\''`)), nil
	case Fish:
		return c.assignments("set -gx %s '%s'\n", strings.NewReplacer(`\`, `\\`, "'", `\'`)), nil
	case PowerShell:
		return c.assignments("$Env:%s = '%s'\n", powerShellQuote), nil
	}
	return nil, fmt.Errorf("unknown format %q", f)
}

// DecodeCOS reads what Encode wrote as COS, the one format that holds every field.
func DecodeCOS(text []byte) (Credential, error) {
	var v cos
	if err := json.Unmarshal(text, &v); err != nil {
		return Credential{}, fmt.Errorf("not a credential in format cos: %w", err)
	}
	c := Credential{
		SecretID: v.Credentials.TmpSecretID, SecretKey: Secret(v.Credentials.TmpSecretKey),
		Token: Secret(v.Credentials.SessionToken), Issued: time.Unix(v.StartTime, 0),
		Expires: time.Unix(v.ExpiredTime, 0), RequestID: v.RequestID,
	}
	if c.IsZero() {
		return Credential{}, fmt.Errorf("not a whole credential in format cos")
	}
	return c, nil
}

// expiration is RFC 3339 in UTC with no fraction. Rounding down never lengthens a life.
func (c Credential) expiration() string {
	return c.Expires.UTC().Truncate(time.Second).Format(time.RFC3339)
}

type process struct {
	Version         int
	AccessKeyID     string `json:"AccessKeyId"`
	SecretAccessKey string
	SessionToken    string
	Expiration      string
}

type tencent struct {
	Credentials tencentTriple
	ExpiredTime int64
	Expiration  string
}

type tencentTriple struct {
	Token        string
	TmpSecretID  string `json:"TmpSecretId"`
	TmpSecretKey string
}

type cos struct {
	Credentials cosTriple `json:"credentials"`
	StartTime   int64     `json:"startTime"`
	ExpiredTime int64     `json:"expiredTime"`
	Expiration  string    `json:"expiration"`
	RequestID   string    `json:"requestId"`
}

type cosTriple struct {
	TmpSecretID  string `json:"tmpSecretId"`
	TmpSecretKey string `json:"tmpSecretKey"`
	SessionToken string `json:"sessionToken"`
}

type tccli struct {
	SecretID  string `json:"secretId"`
	SecretKey string `json:"secretKey"`
	Token     string `json:"token"`
}

// encodeJSON leaves <, > and & as they are: tokens may hold them, and shell tools read this text.
func encodeJSON(v any) ([]byte, error) {
	var out bytes.Buffer
	e := json.NewEncoder(&out)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return nil, fmt.Errorf("encode credential: %w", err)
	}
	return out.Bytes(), nil
}

func (c Credential) assignments(line string, quote *strings.Replacer) []byte {
	var out bytes.Buffer
	for _, v := range c.Variables() {
		fmt.Fprintf(&out, line, v.Name, quote.Replace(v.Value.Reveal()))
	}
	return out.Bytes()
}
