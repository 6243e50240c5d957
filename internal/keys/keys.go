// Package keys brings permanent keys into the keystore and takes them out again. A key is tried at Tencent Cloud first,
// and it changes together with its entry in the index, or not at all.
package keys

import (
	"cmp"
	"os"

	"github.com/tcred/tcred/internal/config"
	"github.com/tcred/tcred/keystore"
)

// Title is a keystore's name in a sentence: "the file keystore".
func Title(store keystore.Store) string {
	switch store.Name() {
	case "env":
		return "the environment"
	case "file":
		return "the file keystore"
	}
	return "the " + store.Name()
}

// Place is Title, or for the keystore "dir", into which somebody else puts files, that directory. c is the config that
// names the keystore.
func Place(store keystore.Store, c *config.Config) string {
	if store.Name() == "dir" {
		return cmp.Or(c.Keystore.Dir, os.Getenv(keystore.EnvCredentials))
	}
	return Title(store)
}
