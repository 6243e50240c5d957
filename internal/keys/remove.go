package keys

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/tcred/tcred/api"
	"github.com/tcred/tcred/internal/human"
	"github.com/tcred/tcred/internal/profile"
	"github.com/tcred/tcred/keystore"
)

// Removal takes a key out of its keystore and its entry out of the index.
type Removal struct {
	Name     string
	Store    keystore.Store
	Place    string         // what Store is, in a sentence
	Entry    keystore.Entry // what is known of the key: little, where the index does not have it
	Profiles []string       // that use the key

	index keystore.Index
}

// FindRemoval finds the key of that name in the index or, where an addition was cut short, in the keystore alone. The
// error is api.NoKey where it is in neither.
func FindRemoval(ctx context.Context, set *profile.Set, index keystore.Index, name string) (Removal, error) {
	r := Removal{Name: name, index: index}
	entries, err := set.Keys()
	if err != nil {
		return r, err
	}
	if r.Store, err = set.Store(); err != nil {
		return r, err
	}
	c, err := set.Config()
	if err != nil {
		return r, err
	}
	r.Place = Place(r.Store, c)
	names := slices.Sorted(maps.Keys(entries))
	var indexed bool
	if r.Entry, indexed = entries[name]; !indexed {
		if r.Entry, err = r.unlisted(ctx, names); err != nil {
			return r, err
		}
	}
	r.Profiles = profilesOf(c, names, name)
	return r, nil
}

// unlisted is the entry of a key that the keystore holds and the index, which has names, does not. Where the keystore
// lists its keys it need not be open, and the key may be damaged.
func (r *Removal) unlisted(ctx context.Context, names []string) (keystore.Entry, error) {
	k, err := r.Store.Get(ctx, r.Name)
	if err != nil {
		if held, listErr := r.Store.List(ctx); listErr == nil && slices.Contains(held, r.Name) {
			err = nil
		}
	}
	switch {
	case api.CodeOf(err) == api.NoKey:
		return keystore.Entry{}, &api.Error{
			Code: api.NoKey, Hint: "tcred list shows the keys",
			Message: fmt.Sprintf("no key %q%s", r.Name, human.DidYouMean(r.Name, names)),
		}
	case err != nil:
		return keystore.Entry{}, err
	case r.Store.ReadOnly():
		return keystore.Entry{}, &api.Error{
			Code:    api.KeystoreReadOnly,
			Message: fmt.Sprintf("key %q is in %s, which tcred only reads", r.Name, r.Place),
			Hint:    "remove it there",
		}
	}
	return keystore.Entry{Name: r.Name, SecretID: k.ID}, nil
}

// Take deletes the key, then its entry. An addition of the same name waits meanwhile. done says what was done, as the
// end of a sentence that begins with the key: "removed from the file keystore".
func (r Removal) Take(ctx context.Context) (done string, err error) {
	index, unlock, err := r.index.Lock(ctx)
	if err != nil {
		return "", r.StillThere(err)
	}
	defer unlock()
	done = "removed from " + r.Place
	if r.Store.ReadOnly() {
		done = "forgotten; it is still in " + r.Place + ", which tcred only reads"
	} else if err := r.Store.Delete(ctx, r.Name); api.CodeOf(err) == api.NoKey {
		done = "forgotten; " + r.Place + " did not hold it any more"
	} else if err != nil {
		return "", r.StillThere(err)
	}
	if err := index.Remove(context.WithoutCancel(ctx), r.Name); err != nil {
		e := *api.AsError(err)
		e.Message = fmt.Sprintf("key %q is out of the keystore, but not of the list: %s", r.Name, err)
		e.Hint = "once that is mended: tcred remove " + r.Name
		return "", &e
	}
	return done, nil
}

// StillThere is err, for which the key was not removed, with the words that it was not.
func (r Removal) StillThere(err error) error {
	e := *api.AsError(err)
	e.Message += fmt.Sprintf("; key %q is still there", r.Name)
	return &e
}
