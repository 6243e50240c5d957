package cli

import (
	"context"
	"fmt"
	"os"
	"strings"

	"github.com/tcred/tcred/api"
	"github.com/tcred/tcred/internal/cmdline"
	"github.com/tcred/tcred/internal/keys"
	"github.com/tcred/tcred/internal/plaintext"
	"github.com/tcred/tcred/internal/tty"
	"github.com/tcred/tcred/keystore"
)

// newKeyOf gets the key from where o says; a read-only keystore has it already.
func (a *app) newKeyOf(ctx context.Context, store keystore.Store, o addOptions) (keystore.Key, error) {
	given := o.from != "" || o.stdin || o.secretID != ""
	source, profile, _ := strings.Cut(o.from, ":")
	switch {
	case store.ReadOnly() && given:
		return keystore.Key{}, &api.Error{
			Code:    api.KeystoreReadOnly,
			Message: fmt.Sprintf("keystore %q is read-only, and its key comes with it", store.Name()),
			Hint: "tcred add without a flag notes the key that is there; " +
				"backend under [keystore] in config.toml names another keystore",
		}
	case store.ReadOnly():
		return store.Get(ctx, o.name)
	case o.from == "env":
		found, err := plaintext.FromEnvironment(os.Getenv)
		return foundKey(o.from, found, err)
	case source == "tccli":
		found, err := plaintext.FromTCCLI(profile)
		return foundKey(source, found, err)
	case o.from != "":
		return keystore.Key{}, cmdline.Error("--from env, --from tccli or --from tccli:PROFILE", "unknown source %q", source)
	case o.stdin:
		secret, err := tty.ReadSecret(ctx, a.in, "--secret-key-stdin")
		if err != nil {
			return keystore.Key{}, err
		}
		return keys.Pasted(o.secretID, secret.Reveal())
	case !tty.Is(a.in):
		return keystore.Key{}, cmdline.Error("tcred add --secret-id AKID... --secret-key-stdin < FILE",
			"stdin is not a terminal, so the key cannot be asked for")
	}
	return a.askKey(ctx, o.secretID)
}

// askKey hides the SecretId too: it may be the secret, pasted into the wrong place.
func (a *app) askKey(ctx context.Context, id string) (keystore.Key, error) {
	if id == "" {
		typed, err := a.terminal().Hidden(ctx, "SecretId")
		if err != nil {
			return keystore.Key{}, err
		}
		if id = keys.Trim(typed.Reveal()); id == "" {
			return keystore.Key{}, cmdline.Error(keys.ConsoleHint, "no SecretId was entered")
		}
	}
	secret, err := a.terminal().Hidden(ctx, "SecretKey")
	if err != nil {
		return keystore.Key{}, err
	}
	return keys.Pasted(id, secret.Reveal())
}

// foundKey makes a key of what --from found, and an error of what cannot be one.
func foundKey(from string, found plaintext.Found, err error) (keystore.Key, error) {
	if err != nil {
		e := *api.AsError(err)
		e.Message = "--from " + from + ": " + e.Message
		return keystore.Key{}, &e
	}
	if how := found.Temporary(); how != "" {
		return keystore.Key{}, keys.Temporary("for " + how)
	}
	return keys.Pasted(found.SecretID, found.SecretKey.Reveal())
}
