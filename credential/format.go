package credential

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/tcred/tcred/internal/human"
)

// Format names a way to write a credential.
type Format string

// The formats. Each one's text ends in a newline.
const (
	Process    Format = "process"    // AWS credential_process, version 1
	Tencent    Format = "tencent"    // as STS answers GetFederationToken
	COS        Format = "cos"        // as the COS STS SDKs answer
	TCCLI      Format = "tccli"      // a ~/.tccli/P.credential file
	Env        Format = "env"        // export lines for POSIX shells, after one that unsets what names other credentials
	Fish       Format = "fish"       // the same for fish
	PowerShell Format = "powershell" // the same for PowerShell
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
	near := human.DidYouMean(name, names)
	if word := human.Nearest(name, slices.Sorted(maps.Keys(otherWords))); near == "" && word != "" {
		near = fmt.Sprintf("; did you mean %q?", otherWords[word])
	}
	return "", fmt.Errorf("unknown format %q%s; known are %s", name, near, strings.Join(names, ", "))
}

// otherWords are what other tools call these formats.
var otherWords = map[string]Format{
	"json": Process, "aws": Process, "credential_process": Process, "credential-process": Process,
	"sts": Tencent, "sdk": COS,
	"sh": Env, "bash": Env, "zsh": Env, "shell": Env, "export": Env, "dotenv": Env, "text": Env,
	"pwsh": PowerShell, "ps1": PowerShell, "ps": PowerShell,
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
	}
	sh, ok := shells[f]
	if !ok {
		return nil, fmt.Errorf("unknown format %q", f)
	}
	out := sh.unset(staleNames)
	for _, v := range c.Variables() {
		out = fmt.Appendf(out, sh.set, v.Name, sh.quote.Replace(v.Value.Reveal()))
	}
	return out, nil
}

// Unset is what takes every variable that Encode sets in format f out of a shell's environment again: Env, Fish or
// PowerShell. What Encode took out of it does not come back.
func Unset(f Format) ([]byte, error) {
	sh, ok := shells[f]
	if !ok {
		return nil, fmt.Errorf("format %q sets no variables", f)
	}
	var names []string
	for _, v := range (Credential{}).Variables() {
		names = append(names, v.Name)
	}
	return sh.unset(names), nil
}

// shell is how a shell's variables are set and unset.
type shell struct {
	set          string // one, a line with its name and value
	quote        *strings.Replacer
	before, join string // of the names that are unset, on one line
	after        string
}

var shells = map[Format]shell{
	Env:        {"export %s='%s'\n", strings.NewReplacer("'", `'\''`), "unset ", " ", "\n"},
	Fish:       {"set -gx %s '%s'\n", strings.NewReplacer(`\`, `\\`, "'", `\'`), "set -e ", " ", "\n"},
	PowerShell: {"$Env:%s = '%s'\n", powerShellQuote, "Remove-Item -ErrorAction Ignore Env:", ",Env:", "\n"},
}

func (s shell) unset(names []string) []byte {
	return []byte(s.before + strings.Join(names, s.join) + s.after)
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
