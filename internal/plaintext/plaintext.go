// Package plaintext finds the keys that lie in plaintext on this machine: in the environment, and in the files of other
// tools. It only reads.
package plaintext

import (
	"fmt"
	"strings"

	"github.com/tcred/tcred/api"
	"github.com/tcred/tcred/credential"
	"github.com/tcred/tcred/keystore"
)

// Found is a key that lies in plaintext, and where: in variables of the environment, or in a file.
type Found struct {
	SecretID  string
	SecretKey credential.Secret
	Token     credential.Secret // of a temporary key; "" for a permanent one

	Variables []string // that hold the SecretId, the SecretKey and, if there is one, the token
	Path      string   // of the file
}

// Temporary says how one can tell that it is no permanent key: "TENCENTCLOUD_TOKEN is set"; "" if it may be one.
func (f Found) Temporary() string {
	switch {
	case f.Token == "":
		return ""
	case f.Path != "":
		return f.Path + " has a token"
	}
	return f.Variables[2] + " is set"
}

// OfTencentCloud reports whether Tencent Cloud issued it. Variables of AWS's names may hold a key of AWS's own.
func (f Found) OfTencentCloud() bool {
	if len(f.Variables) > 0 && strings.HasPrefix(f.Variables[0], "AWS_") {
		return keystore.LooksLikeID(f.SecretID)
	}
	return true
}

// failed is the error for a place that a person named and that holds no key to take.
func failed(hint, format string, args ...any) error {
	return &api.Error{Code: api.BadRequest, Message: fmt.Sprintf(format, args...), Hint: hint}
}
