package plaintext

import (
	"cmp"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/tcred/tcred/credential"
	"github.com/tcred/tcred/internal/disk"
)

// TCCLIPath is where tccli keeps the key of a profile; "" is the default one. Nothing need be there.
func TCCLIPath(profile string) (string, error) {
	profile = cmp.Or(profile, "default")
	if profile != filepath.Base(profile) {
		return "", failed("", "%q cannot be the name of a tccli profile", profile)
	}
	home, err := os.UserHomeDir()
	if err != nil {
		return "", failed("", "%v", err)
	}
	return filepath.Join(home, ".tccli", profile+".credential"), nil
}

// FromTCCLI is the key of a tccli profile; "" is the default one. The error is api.BadRequest.
func FromTCCLI(profile string) (Found, error) {
	path, err := TCCLIPath(profile)
	if err != nil {
		return Found{}, err
	}
	text, err := disk.Read(path, maxFile)
	if errors.Is(err, fs.ErrNotExist) {
		return Found{}, failed("ls ~/.tccli shows the profiles that there are", "there is no %s", path)
	}
	if err != nil {
		return Found{}, failed("", "%v", err)
	}
	var c struct { // secretId, secretKey, token: encoding/json ignores case
		SecretID         string
		SecretKey, Token credential.Secret
	}
	if err := json.Unmarshal(text, &c); err != nil {
		return Found{}, failed("", "%s is not a JSON object of strings", path)
	}
	return Found{SecretID: c.SecretID, SecretKey: c.SecretKey, Token: c.Token, Path: path}, nil
}
