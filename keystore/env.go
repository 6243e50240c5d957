package keystore

import (
	"context"
	"os"

	"github.com/tcred/tcred/api"
	"github.com/tcred/tcred/credential"
)

// spelling is the names of the variables that hold the one key of the env keystore.
var spelling = credential.Spellings()[0]

// env reads the key named "default" from the environment of this process.
type env struct{ readOnly }

func (e env) Get(_ context.Context, name string) (Key, error) {
	if name != api.DefaultProfile {
		return Key{}, noKey("the environment", name, `keystore "env" has only the key "default"`)
	}
	return e.read()
}

func (env) read() (Key, error) {
	for _, name := range []string{spelling.ID, spelling.Key} {
		if os.Getenv(name) == "" {
			return Key{}, fail(api.KeystoreAbsent, "a daemon that a helper started does not inherit these variables: "+
				"run tcred daemon from where they are set, or use --no-daemon",
				"%s is not set in this process's environment", name)
		}
	}
	for _, name := range spelling.Tokens {
		if os.Getenv(name) != "" {
			return Key{}, fail(api.KeystoreFailed, "unset it, and set "+spelling.ID+" and "+spelling.Key+" to a permanent key",
				"the key in the environment is temporary, for %s is set; GetFederationToken needs a permanent one", name)
		}
	}
	k := Key{os.Getenv(spelling.ID), credential.Secret(os.Getenv(spelling.Key))}
	if _, err := encodePair(k); err != nil {
		return Key{}, fail(api.KeystoreFailed, api.AsError(err).Hint, "in the environment: %w", err)
	}
	return k, nil
}

func (e env) List(context.Context) ([]string, error) {
	if _, err := e.read(); err != nil {
		return nil, err
	}
	return []string{api.DefaultProfile}, nil
}

func (e env) Probe(context.Context) error {
	_, err := e.read()
	return err
}
