package keys

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/tcred/tcred/api"
	"github.com/tcred/tcred/cache"
	"github.com/tcred/tcred/client"
	"github.com/tcred/tcred/credential"
	"github.com/tcred/tcred/internal/config"
	"github.com/tcred/tcred/internal/profile"
	"github.com/tcred/tcred/internal/service"
	"github.com/tcred/tcred/keystore"
)

// Replacement is a key and the one whose place it is to take.
type Replacement struct {
	Old, New keystore.Entry // of Old little is known where it was never verified; its Name is "" where there is none
	Profiles []string       // that use the key of that name
}

// Replacement finds the key whose place e's takes: in the keystore, as Look saw it, or in the index alone. Where
// nothing tells whose that was it asks Tencent Cloud, unless e is not verified either.
func (a *Addition) Replacement(ctx context.Context, set *profile.Set, e keystore.Entry) (Replacement, error) {
	r := Replacement{New: e}
	entries, err := set.Keys()
	if err != nil {
		return r, err
	}
	old, indexed := entries[a.Name]
	if a.old != nil && old.SecretID != a.old.ID { // the index speaks of another key
		old, indexed = keystore.Entry{Name: a.Name, SecretID: a.old.ID}, true
	}
	if !indexed && !a.there {
		return r, nil
	}
	r.Old = old
	r.Old.Name = a.Name
	if r.Old.AccountID == "" && e.AccountID != "" && a.old != nil && a.old.ID != e.SecretID {
		if who, site, err := FindSite(ctx, set, *a.old, ""); err == nil {
			r.Old = described(r.Old, site, who)
		}
	}
	c, err := set.Config()
	if err != nil {
		return r, err
	}
	r.Profiles = profilesOf(c, slices.Sorted(maps.Keys(entries)), a.Name)
	return r, nil
}

// profilesOf are the profiles that use the key of that name; names are the keys that exist.
func profilesOf(c *config.Config, names []string, key string) (users []string) {
	for _, n := range c.Names(names) {
		if p, err := c.Profile(n, names); err == nil && p.Key == key {
			users = append(users, n)
		}
	}
	return users
}

// Happens reports whether a key gives way to another one.
func (r Replacement) Happens() bool { return r.Old.Name != "" && r.Old.SecretID != r.New.SecretID }

// Doubt says why the new key may not be of the old one's account: then all that uses the old one would act for somebody
// else. It is "" where both are of one account.
func (r Replacement) Doubt() string {
	are := "are of two accounts"
	switch {
	case !r.Happens(), r.Old.AccountID != "" && r.Old.AccountID == r.New.AccountID:
		return ""
	case r.Old.AccountID == "" || r.New.AccountID == "":
		are = "may be of two accounts"
	}
	return fmt.Sprintf("key %q (%s) and the new one (%s) %s", r.Old.Name, r.Old.Describe(), r.New.Describe(), are)
}

// Refused is the error for a replacement that nobody said yes to. again is the command that says it.
func (r Replacement) Refused(again string) error {
	message := r.Doubt()
	if len(r.Profiles) > 0 {
		message += fmt.Sprintf("; what uses it would act for the new one's: %s", strings.Join(r.Profiles, ", "))
	}
	return &api.Error{
		Code: api.BadRequest, Message: message,
		Hint: again + " takes it all the same; or give it a name of its own: tcred add NAME",
	}
}

// ConsoleURL is the page on which the old key is disabled: of its site or, where that is not known, of the one that its
// SecretId belongs to.
func (r Replacement) ConsoleURL() string {
	site := cmp.Or(r.Old.Site, r.New.Site)
	if site == "" && strings.HasPrefix(r.Old.SecretID, "IKID") {
		site = "intl"
	}
	if site == "intl" {
		return "https://console.tencentcloud.com/cam/capi"
	}
	return "https://console.cloud.tencent.com/cam/capi"
}

// LongestLife is how long a credential of the old key may live at most from when it was issued.
func (r Replacement) LongestLife() time.Duration {
	if r.Old.Type == keystore.IdentityRoot {
		return config.MaxRootDuration
	}
	return config.MaxDuration
}

// Issued is what the old key of a Replacement issued, as far as it is cached.
type Issued struct {
	keys []cache.Key
	last time.Time // to expire in the daemon's memory
}

// Remember finds what the old key issued. It must be called before the new key is in the index.
func (r Replacement) Remember(ctx context.Context, set *profile.Set) (i Issued) {
	if !r.Happens() {
		return i
	}
	for _, name := range r.Profiles {
		if p, err := set.Lookup(ctx, name); err == nil {
			i.keys = append(i.keys, cache.KeyOf(p.Source.ID()))
		}
	}
	if st, err := service.DaemonStatus(ctx, new(client.Client)); err == nil {
		for _, p := range st.Profiles {
			if p.Key == r.Old.Name && p.Expires.After(i.last) {
				i.last = p.Expires
			}
		}
	}
	return i
}

// Drop takes what the old key issued out of the cache, where nothing can open it any more. It returns until when the
// last of it stays valid at Tencent Cloud, the zero time if there was none.
func (i Issued) Drop(ctx context.Context, dir *cache.Dir) time.Time {
	for _, key := range i.keys {
		if expires, err := dir.Delete(ctx, key); err == nil && expires.After(i.last) {
			i.last = expires
		}
	}
	if i.last.IsZero() {
		return i.last
	}
	return i.last.Add(credential.Margin)
}
