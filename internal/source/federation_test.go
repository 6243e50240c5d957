package source

import (
	"context"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tcred/tcred/api"
	"github.com/tcred/tcred/credential"
	"github.com/tcred/tcred/emulator"
	"github.com/tcred/tcred/internal/policy"
	"github.com/tcred/tcred/internal/sts"
	"github.com/tcred/tcred/keystore"
)

// keys is a keystore in memory that counts how often it is asked.
type keys struct {
	held  map[string]keystore.Key
	reads int
}

func (k *keys) Get(_ context.Context, name string) (keystore.Key, error) {
	k.reads++
	key, ok := k.held[name]
	if !ok {
		return keystore.Key{}, &api.Error{Code: api.NoKey, Message: "no such key"}
	}
	return key, nil
}

func newClient(t *testing.T, o sts.Options) *sts.Client {
	t.Helper()
	if o.Region == "" {
		o.Region = "ap-guangzhou"
	}
	c, err := sts.NewClient(o)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

const testID = "AKIDz8krbsJ5yKBZQpn74WFkmLPx3EXAMPLEfQv6"

// uploads is a federation whose key is a sub-account's of that id.
func uploads(c *sts.Client, id string, secret credential.Secret) (*Federation, *keys) {
	held := &keys{held: map[string]keystore.Key{"work": {ID: id, Secret: secret}}}
	return &Federation{
		Client: c, Keys: held,
		Key: keystore.Entry{
			Name: "work", SecretID: id, Generation: "0123456789abcdef", Type: keystore.IdentitySub,
			AccountID: "100000000001", UserID: "100000000002",
		},
		Profile: "upload", Name: "uploader", Policy: policy.DenyAll, Duration: time.Hour,
	}, held
}

// emulated is uploads over an emulator.
func emulated(t *testing.T) (*Federation, *keys, *emulator.Emulator, emulator.Account) {
	t.Helper()
	account := emulator.NewAccount(false)
	e := emulator.New(emulator.Options{Accounts: []emulator.Account{account}})
	server := httptest.NewServer(e)
	t.Cleanup(server.Close)
	endpoint, err := url.Parse(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	f, held := uploads(newClient(t, sts.Options{Endpoint: endpoint}), account.SecretID, account.SecretKey)
	return f, held, e, account
}

func issue(t *testing.T, f *Federation) (credential.Credential, error) {
	t.Helper()
	session, err := f.Open(t.Context())
	if err != nil {
		return credential.Credential{}, err
	}
	defer session.Close()
	if session.Sealer() == nil {
		t.Error("nothing seals what it issues")
	}
	return session.Issue(t.Context())
}

func TestAFederationIssuesInTheNameOfItsProfile(t *testing.T) {
	f, held, e, account := emulated(t)
	cred, err := issue(t, f)
	if err != nil || cred.Duration() > 59*time.Minute || cred.Duration() < 58*time.Minute || held.reads != 1 {
		t.Fatalf("got %v, %v after %d readings of the key", cred, err, held.reads)
	}
	id, err := f.Identify(t.Context(), cred)
	if err != nil || id.UserID != account.UIN+":uploader" {
		t.Errorf("it is %+v, %v", id, err)
	}
	e.Fail(emulator.Fault{Code: "UnauthorizedOperation"})
	_, err = issue(t, f)
	want := `key "work" (sub-account 100000000002) may not call sts:GetFederationToken: `
	if err == nil || !strings.HasPrefix(err.Error(), want) {
		t.Errorf("got %v", err)
	}
}

func TestAKeyReplacedBehindTheIndexIsNotUsed(t *testing.T) {
	f, held, e, _ := emulated(t)
	f.Key.SecretID = testID
	held.held["work"] = keystore.Key{ID: "AKIDanotherkeyanotherkeyanothercY9z", Secret: "canary"}
	_, err := issue(t, f)
	want := `key "work" in the keystore is AKIDan…cY9z, but tcred added it as AKIDz8…fQv6`
	if e := api.AsError(err); e.Code != api.KeystoreFailed || e.Message != want || e.Hint == "" {
		t.Errorf("got %v", err)
	}
	f.Key.Name = "gone"
	if _, err := issue(t, f); api.CodeOf(err) != api.NoKey {
		t.Errorf("a key that is gone: %v", err)
	}
	if n := e.Calls(""); n != 0 {
		t.Errorf("STS was asked %d times", n)
	}
}

// stuckKeys is a keystore that answers when the caller gives up.
type stuckKeys struct{}

func (stuckKeys) Get(ctx context.Context, _ string) (keystore.Key, error) {
	<-ctx.Done()
	return keystore.Key{}, &api.Error{Code: api.KeystoreTimeout, Message: "stuck", Cause: ctx.Err()}
}

func TestTheKeystoreGetsEightSeconds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, _ := uploads(newClient(t, sts.Options{}), testID, "x")
		f.Keys = stuckKeys{}
		began := time.Now()
		if _, err := issue(t, f); api.CodeOf(err) != api.KeystoreTimeout || time.Since(began) != 8*time.Second {
			t.Errorf("after %v: %v", time.Since(began), err)
		}
	})
}

func TestTheIDSpellsOutAllThatACredentialDependsOn(t *testing.T) {
	const want = `{"version":1,"call":"GetFederationToken","endpoint":"sts.tencentcloudapi.com","region":"ap-guangzhou",` +
		`"secret_id":"` + testID + `","generation":"0123456789abcdef","name":"uploader","policy":"{\"version\":\"2.0\",` +
		`\"statement\":[{\"effect\":\"deny\",\"action\":\"*\",\"resource\":\"*\"}]}","seconds":3600}`
	client := newClient(t, sts.Options{})
	fresh := func() *Federation { f, _ := uploads(client, testID, "x"); return f }
	if id := fresh().ID(); id != want {
		t.Errorf("got  %s\nwant %s", id, want)
	}
	for name, change := range map[string]func(*Federation){
		"endpoint":   func(f *Federation) { f.Client = newClient(t, sts.Options{Site: "intl"}) },
		"region":     func(f *Federation) { f.Client = newClient(t, sts.Options{Region: "ap-beijing"}) },
		"SecretId":   func(f *Federation) { f.Key.SecretID += "x" },
		"generation": func(f *Federation) { f.Key.Generation = "x" },
		"name":       func(f *Federation) { f.Name = "x" },
		"policy":     func(f *Federation) { f.Policy += " " },
		"duration":   func(f *Federation) { f.Duration += time.Second },
	} {
		f := fresh()
		if change(f); f.ID() == want {
			t.Errorf("another %s makes no other ID", name)
		}
	}
	f := fresh()
	f.Profile = "alias"
	if f.ID() != want {
		t.Errorf("a profile's name changes the ID: %s", f.ID())
	}
}
