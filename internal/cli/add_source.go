package cli

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/tcred/tcred/api"
	"github.com/tcred/tcred/credential"
	"github.com/tcred/tcred/internal/disk"
	"github.com/tcred/tcred/internal/tty"
	"github.com/tcred/tcred/keystore"
)

// newKeyOf gets the key from where q says; a read-only keystore has it already.
func (a *app) newKeyOf(ctx context.Context, store keystore.Store, q addition) (keystore.Key, error) {
	given := q.from != "" || q.stdin || q.secretID != ""
	source, profile, _ := strings.Cut(q.from, ":")
	switch {
	case store.ReadOnly() && given:
		return keystore.Key{}, &api.Error{
			Code:    api.KeystoreReadOnly,
			Message: fmt.Sprintf("keystore %q is read-only, and its key comes with it", store.Name()),
			Hint:    "tcred add without a flag notes the key that is there; backend under [keystore] in config.toml names another keystore",
		}
	case store.ReadOnly():
		return store.Get(ctx, q.name)
	case q.from == "env":
		return fromEnv()
	case source == "tccli":
		return fromTCCLI(profile)
	case q.from != "":
		return keystore.Key{}, usage("--from env, --from tccli or --from tccli:PROFILE", "unknown source %q", source)
	case q.stdin:
		secret, err := tty.ReadSecret(ctx, a.in, "--secret-key-stdin")
		if err != nil {
			return keystore.Key{}, err
		}
		return newKey(q.secretID, secret.Reveal())
	case !tty.Is(a.in):
		return keystore.Key{}, usage("tcred add --secret-id AKID... --secret-key-stdin < FILE", "stdin is not a terminal, so the key cannot be asked for")
	}
	return a.askKey(ctx, q.secretID)
}

// askKey hides the SecretId too: it may be the secret, pasted into the wrong place.
func (a *app) askKey(ctx context.Context, id string) (keystore.Key, error) {
	if id == "" {
		answer, err := a.terminal().Hidden(ctx, "SecretId")
		if err != nil {
			return keystore.Key{}, err
		}
		if id = paste(answer.Reveal()); id == "" {
			return keystore.Key{}, usage(consoleHint, "no SecretId was entered")
		}
	}
	secret, err := a.terminal().Hidden(ctx, "SecretKey")
	if err != nil {
		return keystore.Key{}, err
	}
	return newKey(id, secret.Reveal())
}

// fromEnv takes the key that other tools read from this shell's environment.
func fromEnv() (keystore.Key, error) {
	spelling := credential.Spellings()[0]
	for _, name := range spelling.Tokens {
		if os.Getenv(name) != "" {
			return keystore.Key{}, temporaryKey("for " + name + " is set")
		}
	}
	id, secret := os.Getenv(spelling.ID), os.Getenv(spelling.Key)
	if id == "" || secret == "" {
		return keystore.Key{}, usage("", "--from env: %s and %s are not both set", spelling.ID, spelling.Key)
	}
	return newKey(id, secret)
}

// tccliPath is where tccli keeps the key of a profile; the default one's name is "".
func tccliPath(profile string) (string, error) {
	profile = cmp.Or(profile, "default")
	if profile != filepath.Base(profile) {
		return "", usage("", "%q cannot be the name of a tccli profile", profile)
	}
	home, err := os.UserHomeDir()
	if err != nil {
		return "", usage("", "--from tccli: %v", err)
	}
	return filepath.Join(home, ".tccli", profile+".credential"), nil
}

// fromTCCLI takes the key of a tccli profile. Its file is left as it is.
func fromTCCLI(profile string) (keystore.Key, error) {
	path, err := tccliPath(profile)
	if err != nil {
		return keystore.Key{}, err
	}
	text, err := readFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return keystore.Key{}, usage("ls ~/.tccli shows the profiles that there are", "--from tccli: there is no %s", path)
	}
	if err != nil {
		return keystore.Key{}, usage("", "--from tccli: %v", err)
	}
	var c struct{ SecretID, SecretKey, Token string } // secretId, secretKey, token: encoding/json ignores case
	if err := json.Unmarshal(text, &c); err != nil {
		return keystore.Key{}, usage("", "--from tccli: %s is not a JSON object of strings", path)
	}
	if c.Token != "" {
		return keystore.Key{}, temporaryKey("for " + path + " has a token")
	}
	return newKey(c.SecretID, c.SecretKey)
}

// readFile reads a small file that another tool wrote.
func readFile(path string) ([]byte, error) { return disk.Read(path, 1<<20) }
