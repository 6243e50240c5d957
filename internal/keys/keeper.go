package keys

import (
	"context"

	"github.com/tcred/tcred/api"
	"github.com/tcred/tcred/internal/profile"
	"github.com/tcred/tcred/keystore"
)

// Keeper stores keys for others, in the daemon, which has the keystore open.
type Keeper struct {
	Set   *profile.Set
	Index keystore.Index
}

// Add stores a key with its entry, as an Addition does.
func (k Keeper) Add(ctx context.Context, name string, in api.NewKey) error {
	store, err := k.Set.Store()
	if err != nil {
		return err
	}
	a := &Addition{Store: store, Index: k.Index, Name: name, Replace: in.Replace}
	if store.ReadOnly() { // what such a store has, whoever asks can read
		return a.NothingStored(store.Put(ctx, name, keystore.Key{}))
	}
	key, err := keystore.NewKey(in.SecretID, in.SecretKey)
	if err != nil {
		return a.NothingStored(err)
	}
	e := newEntry(name, in.Site, key)
	e.AccountID, e.UserID, e.Arn, e.Type = in.AccountID, in.UserID, in.Arn, in.Type
	return a.Put(ctx, key, e)
}
