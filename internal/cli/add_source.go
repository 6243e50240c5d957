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

// newKeyOf gets the key from where the flags say; a read-only keystore has it already. A person at the terminal enters
// what is missing.
func (a *app) newKeyOf(ctx context.Context, w *adding) (keystore.Key, error) {
	o, store := w.options, w.Store
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
		return keystore.NewKey(o.secretID, secret.Reveal())
	case !tty.Is(a.in):
		return keystore.Key{}, cmdline.Error("tcred add --secret-id AKID... --secret-key-stdin < FILE",
			"stdin is not a terminal, so the key cannot be asked for")
	}
	return w.pasted.Ask(ctx, a.terminal())
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
	return keystore.NewKey(found.SecretID, found.SecretKey.Reveal())
}
