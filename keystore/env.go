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
type env struct {
	readOnly
	process string // what messages call it
}

func (e env) Get(_ context.Context, name string) (Key, error) {
	if name != api.DefaultProfile {
		return Key{}, noKey("the environment", name, `keystore "env" has only the key "default"`)
	}
	return e.read()
}

func (e env) read() (Key, error) {
	for _, name := range []string{spelling.ID, spelling.Key} {
		if os.Getenv(name) == "" {
			return Key{}, fail(api.KeystoreAbsent,
				"where they are set tcred get and tcred exec read them, and a daemon that a helper started does not: "+
					"name tcred get as the credential_process",
				"%s is not set in the environment of %s", name, e.process)
		}
	}
	for _, name := range spelling.Tokens {
		if os.Getenv(name) != "" {
			return Key{}, fail(api.KeystoreFailed, "unset it, and set "+spelling.ID+" and "+spelling.Key+" to a permanent key",
				"the key in the environment is temporary, for %s is set; GetFederationToken needs a permanent one", name)
		}
	}
	k, err := NewKey(os.Getenv(spelling.ID), os.Getenv(spelling.Key))
	if err != nil {
		return Key{}, fail(api.KeystoreFailed, api.AsError(err).Hint,
			"%s and %s hold no key: %w", spelling.ID, spelling.Key, err)
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

func (e env) Unlock(ctx context.Context, _ credential.Secret) error { return e.Probe(ctx) }
