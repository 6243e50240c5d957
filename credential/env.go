package credential

import (
	"slices"
	"strings"
)

// Variable is one environment variable that carries a part of a credential.
type Variable struct {
	Name  string
	Value Secret
}

// Spelling is how one family of tools names the parts of a credential. A pair with none of its tokens set is a
// permanent key.
type Spelling struct {
	ID, Key string
	Tokens  []string // of the whole family
}

// Spellings lists every one in use, the most common first: tools of one vendor never agreed.
func Spellings() []Spelling {
	sdk := []string{
		"TENCENTCLOUD_TOKEN",          // tccli
		"TENCENTCLOUD_SECURITY_TOKEN", // Terraform, Pulumi
		"TENCENTCLOUD_SESSION_TOKEN",  // the Node SDK
		"TENCENTCLOUD_SESSIONTOKEN",   // the SCF runtime
	}
	return []Spelling{
		{"TENCENTCLOUD_SECRET_ID", "TENCENTCLOUD_SECRET_KEY", sdk},                    // tccli, Terraform, Pulumi, every SDK
		{"TENCENTCLOUD_SECRETID", "TENCENTCLOUD_SECRETKEY", sdk},                      // the SCF runtime
		{"TENCENT_SECRET_ID", "TENCENT_SECRET_KEY", []string{"TENCENT_TOKEN"}},        // Serverless Framework
		{"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", []string{"AWS_SESSION_TOKEN"}}, // S3 tools on COS
	}
}

// EnvExpiration holds when the credential in the environment ends, in RFC 3339 and UTC, for people, prompts and
// scripts.
const EnvExpiration = "TCRED_EXPIRATION"

// expiryNames are the variables that hold when a credential ends. AWS's is read by its SDKs.
var expiryNames = []string{EnvExpiration, "AWS_CREDENTIAL_EXPIRATION"}

// staleNames would send a child past the credential, to a role, a profile, a file or another key. Terraform's provider
// really reads the one with ARNN in it.
var staleNames = []string{
	"TENCENTCLOUD_PROFILE", "TENCENTCLOUD_SHARED_CREDENTIALS_DIR", "TENCENTCLOUD_CREDENTIALS_FILE", "TENCENTCLOUD_ROLE_ARN",
	"TENCENTCLOUD_ROLE_SESSION_NAME", "TENCENTCLOUD_CAM_ROLE_NAME",
	"TENCENTCLOUD_ASSUME_ROLE_ARN", "TENCENTCLOUD_ASSUME_ROLE_ARN_FILE", "TENCENTCLOUD_ASSUME_ROLE_ARNN_FILE",
	"TENCENTCLOUD_ASSUME_ROLE_SESSION_NAME", "TENCENTCLOUD_ASSUME_ROLE_SESSION_DURATION",
	"TENCENTCLOUD_ASSUME_ROLE_EXTERNAL_ID", "TENCENTCLOUD_ASSUME_ROLE_SOURCE_IDENTITY", "TENCENTCLOUD_ASSUME_ROLE_SERIAL_NUMBER",
	"TENCENTCLOUD_ASSUME_ROLE_TOKEN_CODE", "TENCENTCLOUD_ASSUME_ROLE_PROVIDER_ID", "TENCENTCLOUD_ASSUME_ROLE_WEB_IDENTITY_TOKEN",
	"TENCENTCLOUD_ASSUME_ROLE_WEB_IDENTITY_TOKEN_FILE", "TENCENTCLOUD_ASSUME_ROLE_SAML_ASSERTION",
	"TENCENTCLOUD_ASSUME_ROLE_PRINCIPAL_ARN",
	"TENCENTCLOUD_MFA_CERTIFICATION_SERIAL_NUMBER", "TENCENTCLOUD_MFA_CERTIFICATION_TOKEN_CODE",
	"TENCENTCLOUD_MFA_CERTIFICATION_DURATION_SECONDS",
	"TKE_PROVIDER_ID", "TKE_WEB_IDENTITY_TOKEN_FILE", "TKE_ROLE_ARN", "TKE_ROLE_SESSION_NAME",
	"AWS_PROFILE", "AWS_DEFAULT_PROFILE", "AWS_ACCESS_KEY", "AWS_SECRET_KEY", "AWS_SECURITY_TOKEN", "AWS_SESSION_EXPIRATION",
	"AWS_ROLE_ARN", "AWS_ROLE_SESSION_NAME", "AWS_WEB_IDENTITY_TOKEN_FILE", "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
	"AWS_CONTAINER_CREDENTIALS_FULL_URI", "AWS_CONTAINER_AUTHORIZATION_TOKEN", "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE",
}

// Variables lists every variable that tools read c from: first what holds its id, then its key, its token, and its end.
func (c Credential) Variables() []Variable {
	var ids, keys, tokens, ends []Variable
	for _, s := range Spellings() {
		ids = append(ids, Variable{s.ID, Secret(c.SecretID)})
		keys = append(keys, Variable{s.Key, c.SecretKey})
		for _, name := range s.Tokens {
			if v := (Variable{name, c.Token}); !slices.Contains(tokens, v) {
				tokens = append(tokens, v)
			}
		}
	}
	for _, name := range expiryNames {
		ends = append(ends, Variable{name, Secret(c.expiration())})
	}
	return slices.Concat(ids, keys, tokens, ends)
}

// Environ is env for a child that is to use c and nothing else: every variable of env that could name
// another credential, a role or a profile is gone, and every spelling of c is there.
func (c Credential) Environ(env []string) []string {
	variables := c.Variables()
	drop := make(map[string]bool)
	for _, name := range staleNames {
		drop[name] = true
	}
	for _, v := range variables {
		drop[v.Name] = true
	}
	var out []string
	for _, kv := range env {
		if name, _, _ := strings.Cut(kv, "="); !drop[name] {
			out = append(out, kv)
		}
	}
	for _, v := range variables {
		out = append(out, v.Name+"="+v.Value.Reveal())
	}
	return out
}
