package profile_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
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

func TestABadChangeKeepsTheOldConfigAndShows(t *testing.T) {
	h := newHome(t)
	h.key("default", emulator.NewAccount(false))
	synctest.Test(t, func(t *testing.T) {
		set := h.open()
		if _, err := set.Lookup(t.Context(), "default"); err != nil {
			t.Fatal(err)
		}
		h.write("config.toml", "duration = 7200\n")
		time.Sleep(time.Second)
		if _, err := set.Lookup(t.Context(), "default"); err != nil {
			t.Errorf("the old config is gone: %v", err)
		}
		if api.CodeOf(set.Problem()) != api.ConfigInvalid {
			t.Errorf("problem: %v", set.Problem())
		}
		h.write("config.toml", h.config(""))
		time.Sleep(time.Second)
		if _, err := set.Lookup(t.Context(), "default"); err != nil || set.Problem() != nil {
			t.Errorf("mended, yet %v, %v", err, set.Problem())
		}
	})
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
