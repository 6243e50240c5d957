package profile

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"slices"

	"github.com/tcred/tcred/api"
	"github.com/tcred/tcred/internal/broker"
	"github.com/tcred/tcred/internal/config"
	"github.com/tcred/tcred/internal/human"
	"github.com/tcred/tcred/keystore"
)

// Check finds everything that is wrong with config, policies and key index, each with its place, without asking
// STS. The keystore is asked for names only where it is the list of its own keys.
func (s *Set) Check(ctx context.Context) []config.Problem {
	problems := s.problems(ctx)
	slices.SortStableFunc(problems, func(a, b config.Problem) int {
		return cmp.Or(cmp.Compare(a.File, b.File), a.Line-b.Line, a.Column-b.Column)
	})
	return problems
}

func (s *Set) problems(ctx context.Context) []config.Problem {
	c, problems, err := config.Load(s.o.ConfigPath)
	var invalid *config.Invalid
	switch {
	case errors.As(err, &invalid):
		problems = invalid.Problems
	case err != nil:
		problems = append(problems, problemOf(s.o.ConfigPath, err))
	}
	if _, err := s.o.Index.Load(); err != nil {
		return append(problems, problemOf(s.o.Index.Path, err))
	}
	if c == nil {
		return problems
	}
	problems = append(problems, checkAccess(c)...)
	if err := s.Reload(); err != nil && invalid == nil {
		return append(problems, problemOf(s.o.ConfigPath, err))
	}
	r, _, _, err := s.current()
	if err != nil {
		return append(problems, problemOf(s.o.ConfigPath, err))
	}
	return append(problems, r.check(ctx)...)
}

// Key is what is known of the key of that name; NoKey with the nearest one if there is none.
func (s *Set) Key(ctx context.Context, name string) (keystore.Entry, error) {
	r, _, _, err := s.current()
	if err != nil {
		return keystore.Entry{}, err
	}
	names, err := r.keyNames(ctx)
	if err != nil {
		return keystore.Entry{}, err
	}
	return r.entry(ctx, name, names)
}

// ReadKey reads the permanent key of that name, to ask who its bearer is. Errors are NoKey, or the keystore's.
func (s *Set) ReadKey(ctx context.Context, name string) (broker.Question, error) {
	entry, err := s.Key(ctx, name)
	if err != nil {
		return nil, err
	}
	store, err := s.Store()
	if err != nil {
		return nil, err
	}
	key, err := store.Get(ctx, name)
	if err != nil {
		return nil, err
	}
	client, err := s.Client(entry.Site)
	if err != nil {
		return nil, err
	}
	return func(ctx context.Context) (api.Identity, error) {
		return client.CallerIdentity(ctx, key.ID, key.Secret, "")
	}, nil
}

// check holds every profile against the keys that there are.
func (r *reading) check(ctx context.Context) (problems []config.Problem) {
	keys, err := r.keyNames(ctx)
	if err != nil { // they may well be there for the daemon, in another environment
		p := problemOf(r.config.Path, err)
		p.Warning, p.Message = true, "keys were not looked at: "+p.Message
		return []config.Problem{p}
	}
	for _, name := range slices.Sorted(maps.Keys(r.config.Profiles)) {
		p, err := r.config.Profile(name, keys)
		if err != nil {
			continue // a problem of config, which is shown already
		}
		e, known := r.keys[p.Key]
		setting, err := "key", error(nil)
		if known {
			setting, err = "duration", checkDuration(p, e)
		} else if !slices.Contains(keys, p.Key) {
			err = &api.Error{
				Message: fmt.Sprintf("profile %q: no key %q%s", name, p.Key, human.DidYouMean(p.Key, keys)),
				Hint:    noKeyHint(p.Key, keys),
			}
		}
		if err != nil {
			problems = append(problems, r.problem(err, name, setting))
		}
	}
	if names := r.config.Names(keys); r.config.Default != "" && !slices.Contains(names, r.config.Default) {
		err := &api.Error{Message: fmt.Sprintf(
			"default_profile %q is neither a profile nor a key%s", r.config.Default, human.DidYouMean(r.config.Default, names))}
		problems = append(problems, r.problem(err, "", "default_profile"))
	}
	return append(problems, r.checkOwnProfiles()...)
}

// checkOwnProfiles looks at the profiles that keys are by themselves: their duration is config's own.
func (r *reading) checkOwnProfiles() (problems []config.Problem) {
	for _, name := range slices.Sorted(maps.Keys(r.keys)) {
		if _, declared := r.config.Profiles[name]; declared {
			continue
		}
		p, err := r.config.Profile(name, []string{name})
		if err != nil {
			continue
		}
		if err := checkDuration(p, r.keys[name]); err != nil {
			problems = append(problems, r.problem(err, name, "duration"))
		}
	}
	return problems
}

// problem is err at a profile's setting: its own, else the one it is taken from, else the profile.
func (r *reading) problem(err error, profile, setting string) config.Problem {
	p := problemOf(r.config.Path, err)
	for _, name := range [][]string{{"profiles", profile, setting}, {setting}, {"profiles", profile}} {
		if p.Line, p.Column = r.config.Place(name...); p.Line > 0 {
			break
		}
	}
	return p
}

// checkAccess finds files that others can read or write, though they may not.
func checkAccess(c *config.Config) (problems []config.Problem) {
	k, err := c.Keystore.By(os.Getenv(api.EnvKeystore))
	if file := k.PassphraseFile; err == nil && file != "" {
		if _, err := keystore.ReadPassphrase(file); err != nil {
			p := problemOf(c.Path, err)
			p.Line, p.Column = c.Place("keystore", "passphrase_file")
			problems = append(problems, p)
		}
	}
	if runtime.GOOS == "windows" { // mode bits do not tell there
		return problems
	}
	if info, err := os.Stat(c.Path); err == nil && info.Mode().Perm()&0o044 != 0 && holdsPassword(c.Proxy) {
		problems = append(problems, config.Problem{
			File: c.Path, Message: fmt.Sprintf("the proxy's password in it is open to others (mode %04o)", info.Mode().Perm()), Hint: "chmod 600 " + c.Path,
		})
	}
	dir := filepath.Dir(c.Path)
	if info, err := os.Stat(dir); err == nil && info.Mode().Perm()&0o002 != 0 {
		problems = append(problems, config.Problem{
			File: dir, Message: fmt.Sprintf("everybody can put another config.toml here (mode %04o)", info.Mode().Perm()), Hint: "chmod 700 " + dir,
		})
	}
	return problems
}

func holdsPassword(proxy *url.URL) bool {
	if proxy == nil {
		return false
	}
	_, has := proxy.User.Password()
	return has
}

// problemOf is an error about a whole file.
func problemOf(file string, err error) config.Problem {
	e := api.AsError(err)
	return config.Problem{File: file, Message: e.Message, Hint: e.Hint}
}
