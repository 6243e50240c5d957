package profile_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"io"
	"log"
	"math/big"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tcred/tcred/api"
	"github.com/tcred/tcred/credential"
	"github.com/tcred/tcred/emulator"
	"github.com/tcred/tcred/internal/profile"
	"github.com/tcred/tcred/keystore"
)

// home is a config directory with a read-only keystore of one key.
type home struct {
	t     *testing.T
	dir   string
	index keystore.Index
}

func newHome(t *testing.T) *home {
	h := &home{t: t, dir: t.TempDir()}
	h.index = keystore.Index{Path: filepath.Join(h.dir, "state", "keys.json")}
	if err := os.Mkdir(filepath.Join(h.dir, "keys"), 0o700); err != nil {
		t.Fatal(err)
	}
	h.write("config.toml", h.config(""))
	return h
}

func (h *home) config(rest string) string {
	return "[keystore]\nbackend = \"dir\"\ndir = \"" + filepath.Join(h.dir, "keys") + "\"\n" + rest
}

func (h *home) write(name, text string) {
	h.t.Helper()
	if err := os.WriteFile(filepath.Join(h.dir, name), []byte(text), 0o600); err != nil {
		h.t.Fatal(err)
	}
}

func (h *home) key(name string, a emulator.Account) {
	h.write("keys/tcred.key."+name, a.SecretID+"\n"+a.SecretKey.Reveal()+"\n")
}

func (h *home) open() *profile.Set {
	return profile.Open(profile.Options{ConfigPath: filepath.Join(h.dir, "config.toml"), Index: h.index, FileDir: h.dir})
}

const fullProfile = "[profiles.upload]\npolicy = \"full\"\n"

func TestAKeyIsAProfileOfItsOwn(t *testing.T) {
	h := newHome(t)
	h.key("work", emulator.NewAccount(false))
	p, err := h.open().Lookup(t.Context(), "work")
	if err != nil {
		t.Fatal(err)
	}
	if p.Key != "work" || p.Lifetime != 2*time.Hour-credential.Margin {
		t.Errorf("got key %q, lifetime %s", p.Key, p.Lifetime)
	}
}

func TestUnknownNamesAreNamedWithTheNearest(t *testing.T) {
	h := newHome(t)
	h.key("work", emulator.NewAccount(false))
	h.write("config.toml", h.config("[profiles.upload]\nkey = \"wrok\"\npolicy = \"full\"\n"))
	set := h.open()
	for _, c := range []struct {
		name, want string
		code       api.Code
	}{
		{"uplaod", `no profile "uplaod"; did you mean "upload"?`, api.NoProfile},
		{"upload", `wrok`, api.NoKey},
	} {
		_, err := set.Lookup(t.Context(), c.name)
		if api.CodeOf(err) != c.code || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v (%s)", c.name, err, api.CodeOf(err))
		}
	}
}

func TestAKeyOfAnotherNameIsNoReasonToAddOne(t *testing.T) {
	h := newHome(t)
	h.write("config.toml", "[profiles.upload]\npolicy = \"full\"\n")
	h.added("work", keystore.IdentitySub)
	set := profile.Open(profile.Options{ConfigPath: filepath.Join(h.dir, "config.toml"), Index: h.index})
	_, err := set.Lookup(t.Context(), "upload")
	if want := `tcred add default, or write key = "work" at the top of config.toml`; api.CodeOf(err) != api.NoKey || api.AsError(err).Hint != want {
		t.Errorf("%v; %s", err, api.AsError(err).Hint)
	}
}

func TestWhoNamesNoProfileIsRefusedWhileItCannotBeToldWhoIsMeant(t *testing.T) {
	h := newHome(t)
	h.key("work", emulator.NewAccount(false))
	synctest.Test(t, func(t *testing.T) {
		set := h.open()
		choice := func() string {
			t.Helper()
			time.Sleep(2 * time.Second)
			name, err := set.Choose(t.Context())
			if err != nil {
				return string(api.CodeOf(err))
			}
			return name
		}
		if got := choice(); got != "work" {
			t.Error(got)
		}
		h.write("config.toml", "default_profile = \"upload\n"+h.config(fullProfile))
		if got := choice(); got != string(api.ConfigInvalid) {
			t.Error(got)
		}
		h.write("config.toml", "default_profile = \"upload\"\n"+h.config(fullProfile))
		if got := choice(); got != "upload" {
			t.Error(got)
		}
	})
}

func TestALongDurationOnARootKeyIsRefusedOffline(t *testing.T) {
	h := newHome(t)
	root := emulator.NewAccount(true)
	h.key("default", root)
	h.write("config.toml", h.config("[profiles.upload]\npolicy = \"full\"\nduration = \"12h\"\n"))
	if err := h.index.Put(t.Context(), keystore.Entry{Name: "default", SecretID: root.SecretID, Generation: keystore.NewGeneration(), Type: keystore.IdentityRoot}); err != nil {
		t.Fatal(err)
	}
	_, err := h.open().Lookup(t.Context(), "upload")
	want := `profile "upload" asks for 12h; key "default" is a root account's: at most 2h`
	if err == nil || err.Error() != want {
		t.Errorf("got %v", err)
	}
}

func TestAChangeIsTakenUpWithinASecond(t *testing.T) {
	h := newHome(t)
	h.key("default", emulator.NewAccount(false))
	synctest.Test(t, func(t *testing.T) {
		set := h.open()
		before, err := set.Lookup(t.Context(), "default")
		if err != nil {
			t.Fatal(err)
		}
		h.write("config.toml", "duration = \"3h\"\n"+h.config(fullProfile))
		time.Sleep(time.Second)
		after, err := set.Lookup(t.Context(), "upload")
		if err != nil {
			t.Fatal(err)
		}
		if after.Lifetime != 3*time.Hour-credential.Margin || after.Revision == before.Revision {
			t.Errorf("lifetime %s, revisions %d and %d", after.Lifetime, before.Revision, after.Revision)
		}
	})
}

const widePolicy = `{"version":"2.0","statement":[{"effect":"allow","action":"name/cos:*","resource":"*"}]}`

// edits is a home with a key, two profiles of their own policies and one whose policy is a file, in a bubble.
func edits(t *testing.T, story func(h *home, set *profile.Set)) {
	h := newHome(t)
	h.key("default", emulator.NewAccount(false))
	h.write("wide.json", widePolicy)
	h.write("config.toml", h.config(editedProfiles))
	synctest.Test(t, func(*testing.T) {
		set := h.open()
		for _, name := range []string{"default", "a", "b", "file"} {
			if _, err := set.Lookup(t.Context(), name); err != nil {
				t.Fatal(err)
			}
		}
		story(h, set)
	})
}

const editedProfiles = "[profiles.a]\npolicy = 'full'\n[profiles.b]\npolicy = 'full'\n[profiles.file]\npolicy_file = 'wide.json'\n"

// refused are those of the four profiles that are refused with a problem of the config, two seconds after an edit.
func refused(t *testing.T, set *profile.Set) string {
	t.Helper()
	time.Sleep(2 * time.Second)
	var names []string
	for _, name := range []string{"default", "a", "b", "file"} {
		_, err := set.Lookup(t.Context(), name)
		if err != nil {
			names = append(names, name)
		}
		if err != nil && api.CodeOf(err) != api.ConfigInvalid {
			t.Errorf("%s: %v", name, err)
		}
	}
	return strings.Join(names, " ")
}

// Promise 9: whatever the mistake, nobody gets more than the files on disk state, and whom it does not concern goes on.
func TestPromise9AMistakeNarrowsAndNeverWidens(t *testing.T) {
	edit := func(old, now string) func(*home) {
		return func(h *home) { h.write("config.toml", strings.Replace(h.config(editedProfiles), old, now, 1)) }
	}
	for _, tt := range []struct {
		name, want string
		edit       func(*home)
	}{
		{"a policy narrowed with a trailing comma", "file", func(h *home) { h.write("wide.json", strings.Replace(widePolicy, "]}", "],}", 1)) }},
		{"a policy narrowed with a misspelled member", "file", func(h *home) {
			h.write("wide.json", strings.Replace(widePolicy, `"resource"`, `"resources"`, 1))
		}},
		{"a policy file that is gone", "file", func(h *home) { os.Remove(filepath.Join(h.dir, "wide.json")) }},
		{"a misspelled setting", "a", edit("a]\npolicy", "a]\npolcy")},
		{"a policy inline that is none", "b", edit("b]\npolicy = 'full'", "b]\npolicy = '{'")},
		{"no TOML any more, in one profile", "a", edit("a]\npolicy = 'full'", "a]\npolicy = 'full")},
		{"no TOML any more, at the top", "default a b file", func(h *home) { h.write("config.toml", "duration = \n"+h.config(editedProfiles)) }},
		{"no TOML any more, in the keystore", "default a b file", edit("backend = \"dir\"", "backend = \"dir")},
		{"no TOML any more, where it says nothing of rights", "", func(h *home) { h.write("config.toml", "sts_rate = \n"+h.config(editedProfiles)) }},
		{"no TOML any more, and a policy narrowed", "a file", func(h *home) {
			edit("a]\npolicy = 'full'", "a]\npolicy = 'full")(h)
			h.write("wide.json", strings.Replace(widePolicy, "cos:*", "cos:GetObject", 1))
		}},
		{"a keystore that there is not", "default a b file", edit("\"dir\"", "\"vault\"")},
		{"a file that others can write", "default a b file", func(h *home) { os.Chmod(filepath.Join(h.dir, "config.toml"), 0o666) }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			edits(t, func(h *home, set *profile.Set) {
				tt.edit(h)
				if got := refused(t, set); got != tt.want {
					t.Errorf("refused are %q, want %q; %v", got, tt.want, set.Problem())
				}
				if set.Problem() == nil {
					t.Error("nothing tells that the config on disk is not in use")
				}
				os.Chmod(filepath.Join(h.dir, "config.toml"), 0o600)
				h.write("wide.json", widePolicy)
				h.write("config.toml", h.config(editedProfiles))
				if got := refused(t, set); got != "" || set.Problem() != nil {
					t.Errorf("mended, yet %q are refused, %v", got, set.Problem())
				}
			})
		})
	}
}

func TestWithNoEarlierReadingAFileThatIsNoTOMLRefusesAll(t *testing.T) {
	h := newHome(t)
	h.key("default", emulator.NewAccount(false))
	h.write("config.toml", h.config("[profiles.a]\npolicy = 'full"))
	for _, name := range []string{"a", "default"} {
		if _, err := h.open().Lookup(t.Context(), name); api.CodeOf(err) != api.ConfigInvalid {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestAProfileThatIsNotThereQuotesTheMistakeThatMayBeWhy(t *testing.T) {
	h := newHome(t)
	h.key("default", emulator.NewAccount(false))
	h.write("config.toml", h.config("[profile.newone]\npolicy = 'full'\n"))
	_, err := h.open().Lookup(t.Context(), "newone")
	if api.CodeOf(err) != api.NoProfile || !strings.Contains(err.Error(), `unknown key "profile"`) || !strings.Contains(api.AsError(err).Hint, "profiles") {
		t.Errorf("got %v", err)
	}
}

// stow, git checkout and editors leave a file missing or empty for a moment.
func TestAConfigThatIsGoneForAMomentChangesNothing(t *testing.T) {
	for name, gone := range map[string]func(path string) error{
		"missing":         os.Remove,
		"empty":           func(path string) error { return os.Truncate(path, 0) },
		"a dangling link": func(path string) error { return errors.Join(os.Remove(path), os.Symlink(path+".no", path)) },
	} {
		t.Run(name, func(t *testing.T) {
			edits(t, func(h *home, set *profile.Set) {
				before, err := set.Store()
				if err != nil {
					t.Fatal(err)
				}
				path := filepath.Join(h.dir, "config.toml")
				if err := gone(path); err != nil {
					t.Fatal(err)
				}
				if got := refused(t, set); got != "" || set.Problem() == nil {
					t.Errorf("after 2 s %q are refused, %v", got, set.Problem())
				}
				if store, _ := set.Store(); store != before {
					t.Error("the keystore was forgotten")
				}
				h.write("wide.json", strings.Replace(widePolicy, "cos:*", "cos:GetObject", 1))
				if got := refused(t, set); got != "file" {
					t.Errorf("of policies that changed meanwhile %q are refused", got)
				}
				time.Sleep(30 * time.Second)
				if _, err := set.Lookup(t.Context(), "a"); api.CodeOf(err) != api.NoProfile {
					t.Errorf("after half a minute: %v", err)
				}
				os.Remove(path)
				h.write("config.toml", h.config(editedProfiles))
				if got := refused(t, set); got != "" {
					t.Errorf("put back, yet %q are refused", got)
				}
			})
		})
	}
}

func TestWhatPermissionsForbidIsTakenUpOnceTheyAreMended(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("modes say nothing there")
	}
	h := newHome(t)
	h.key("default", emulator.NewAccount(false))
	if err := h.index.Put(t.Context(), keystore.Entry{Name: "default"}); err != nil {
		t.Fatal(err)
	}
	synctest.Test(t, func(t *testing.T) {
		for path, bad := range map[string]os.FileMode{filepath.Join(h.dir, "config.toml"): 0o666, filepath.Dir(h.index.Path): 0o750} {
			good, err := os.Stat(path)
			if err != nil {
				t.Fatal(err)
			}
			if err := os.Chmod(path, bad); err != nil {
				t.Fatal(err)
			}
			set := h.open()
			if set.Problem() == nil {
				t.Errorf("%s with mode %o is no problem", path, bad)
			}
			if err := os.Chmod(path, good.Mode().Perm()); err != nil {
				t.Fatal(err)
			}
			time.Sleep(2 * time.Second)
			if err := set.Problem(); err != nil {
				t.Error(err)
			}
		}
	})
}

func TestAPolicyFileThatChangesChangesTheSource(t *testing.T) {
	const policy = `{"version":"2.0","statement":[{"effect":"allow","action":"%","resource":"*"}]}`
	h := newHome(t)
	h.key("default", emulator.NewAccount(false))
	h.write("upload.json", strings.Replace(policy, "%", "name/cos:GetObject", 1))
	h.write("config.toml", h.config("[profiles.upload]\npolicy_file = \"upload.json\"\n"))
	synctest.Test(t, func(t *testing.T) {
		set := h.open()
		before, err := set.Lookup(t.Context(), "upload")
		if err != nil {
			t.Fatal(err)
		}
		h.write("upload.json", strings.Replace(policy, "%", "name/cos:PutObject", 1))
		time.Sleep(time.Second)
		after, err := set.Lookup(t.Context(), "upload")
		if err != nil {
			t.Fatal(err)
		}
		if before.Source.ID() == after.Source.ID() {
			t.Error("a changed policy could be answered with an old credential")
		}
	})
}

func TestAKeyAddedAnewNeverMeetsOldCredentials(t *testing.T) {
	h := newHome(t)
	a := emulator.NewAccount(false)
	h.key("default", a)
	entry := keystore.Entry{Name: "default", SecretID: a.SecretID, Generation: keystore.NewGeneration()}
	var ids []string
	for range 2 {
		if err := h.index.Put(context.Background(), entry); err != nil {
			t.Fatal(err)
		}
		p, err := h.open().Lookup(t.Context(), "default")
		if err != nil {
			t.Fatal(err)
		}
		ids = append(ids, p.Source.ID())
		entry.Generation = keystore.NewGeneration()
	}
	if ids[0] == ids[1] {
		t.Error("two generations of a key share a cache key")
	}
}

func TestTheSourceIssuesWhatTheProfileAsksFor(t *testing.T) {
	h := newHome(t)
	a := emulator.NewAccount(false)
	h.key("default", a)
	server := httptest.NewServer(emulator.New(emulator.Options{Accounts: []emulator.Account{a}}))
	defer server.Close()
	h.write("config.toml", "endpoint = \""+server.URL+"\"\n"+h.config(fullProfile+"duration = \"12h\"\n"))
	p, err := h.open().Lookup(t.Context(), "upload")
	if err != nil {
		t.Fatal(err)
	}
	session, err := p.Source.Open(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer session.Close()
	c, err := session.Issue(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if left := time.Until(c.Expires); left > p.Lifetime || left < p.Lifetime-time.Minute {
		t.Errorf("lives %s, not about %s", left, p.Lifetime)
	}
	id, err := p.Source.Identify(t.Context(), c)
	if err != nil || id.UserID != a.UIN+":upload" {
		t.Errorf("identity %+v, %v", id, err)
	}
}

// authority is a self-signed certificate, as a ca_file holds it.
func authority(t *testing.T) string {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.CreateCertificate(rand.Reader, &x509.Certificate{SerialNumber: big.NewInt(1)}, &x509.Certificate{}, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	return pemOf(der)
}

func pemOf(der []byte) string {
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
}

func TestARenewedCAFileIsTakenUp(t *testing.T) {
	h := newHome(t)
	server := httptest.NewUnstartedServer(http.NotFoundHandler())
	server.Config.ErrorLog = log.New(io.Discard, "", 0) // of the handshake that is to fail
	server.StartTLS()
	defer server.Close()
	h.write("ca.pem", authority(t))
	h.write("config.toml", "endpoint = \""+server.URL+"\"\nca_file = \"ca.pem\"\n"+h.config(""))
	synctest.Test(t, func(t *testing.T) {
		set := h.open()
		probe := func() error {
			client, err := set.Client("")
			if err != nil {
				t.Fatal(err)
			}
			_, err = client.Probe(t.Context())
			return err
		}
		if err := probe(); err == nil || !strings.Contains(err.Error(), "is not trusted") {
			t.Fatalf("another authority's server: %v", err)
		}
		h.write("ca.pem", pemOf(server.Certificate().Raw))
		time.Sleep(time.Second)
		if err := probe(); err != nil {
			t.Error(err)
		}
	})
}

func TestTheLanguageOfConfigWinsOverTheLocale(t *testing.T) {
	t.Setenv("LANG", "zh_CN.UTF-8")
	h := newHome(t)
	var asked string
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { asked = r.Header.Get("X-TC-Language") }))
	defer server.Close()
	for setting, want := range map[string]string{"": "zh-CN", "language = \"en\"\n": "en-US", "language = \"zh\"\n": "zh-CN"} {
		h.write("config.toml", setting+"endpoint = \""+server.URL+"\"\n"+h.config(""))
		client, err := h.open().Client("")
		if err != nil {
			t.Fatal(err)
		}
		client.CallerIdentity(t.Context(), "AKID", "k", "")
		if asked != want {
			t.Errorf("%q: asked in %q, want %q", setting, asked, want)
		}
	}
}

func TestOfKeysEquallyNearTheFirstIsNamedEachTime(t *testing.T) {
	h := newHome(t)
	h.write("config.toml", "")
	for _, name := range []string{"workb", "workc", "worka"} {
		h.added(name, keystore.IdentitySub)
	}
	set := h.open()
	for range 20 {
		if _, err := set.Key(t.Context(), "work"); err == nil || !strings.HasSuffix(err.Error(), `did you mean "worka"?`) {
			t.Fatal(err)
		}
	}
}

func TestALoopbackEndpointIsNotReachedThroughTheProxy(t *testing.T) {
	h := newHome(t)
	server := httptest.NewServer(http.NotFoundHandler())
	defer server.Close()
	h.write("config.toml", "endpoint = \""+server.URL+"\"\nproxy = \"http://127.0.0.1:1\"\n"+h.config(""))
	client, err := h.open().Client("")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := client.Probe(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestWhatNeverLoadedSaysSoToEveryQuestion(t *testing.T) {
	h := newHome(t)
	h.write("config.toml", "not TOML")
	set := h.open()
	_, store := set.Store()
	_, cfg := set.Config()
	_, keys := set.Keys()
	_, client := set.Client("")
	_, key := set.Key(t.Context(), "default")
	_, lookup := set.Lookup(t.Context(), "default")
	for question, err := range map[string]error{
		"store": store, "config": cfg, "keys": keys, "client": client, "key": key, "lookup": lookup, "reload": set.Reload(),
	} {
		if api.CodeOf(err) != api.ConfigInvalid {
			t.Errorf("%s: %v", question, err)
		}
	}
}
