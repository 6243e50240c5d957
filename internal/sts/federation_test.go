package sts

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tcred/tcred/api"
	"github.com/tcred/tcred/internal/policy"
	"github.com/tcred/tcred/internal/testworld/keys"
	"github.com/tcred/tcred/keystore"
)

func uploads(c *Client) *Federation {
	return &Federation{
		Client: c, Store: keys.NewMemory(map[string]keystore.Key{"work": testKey}),
		Key: keystore.Entry{
			Name: "work", SecretID: testID, Generation: "0123456789abcdef", Type: keystore.IdentitySub,
			AccountID: "100000000001", UserID: "100000000002",
		},
		Profile: "upload", Name: "uploader", Policy: policy.DenyAll, Duration: time.Hour,
	}
}

func TestAFederationIssuesInTheNameOfItsProfile(t *testing.T) {
	var body, authorization string
	c := start(t, func(w http.ResponseWriter, r *http.Request) {
		var v struct{ Name string }
		json.NewDecoder(r.Body).Decode(&v)
		body, authorization = v.Name, r.Header.Get("Authorization")
		granting(fmt.Sprintf(`"ExpiredTime":%d`, now.Add(time.Hour).Unix()))(w, r)
	})
	cred, err := uploads(c).Issue(t.Context())
	if err != nil || cred.Duration() != 59*time.Minute || body != "uploader" || !strings.Contains(authorization, "Credential="+testID+"/") {
		t.Errorf("got %v, %v for %q", cred, err, body)
	}
	_, err = uploads(start(t, failing("UnauthorizedOperation", "no"))).Issue(t.Context())
	want := `key "work" (sub-account 100000000002) may not call sts:GetFederationToken (UnauthorizedOperation, request 59a5e07e)`
	if err == nil || err.Error() != want {
		t.Errorf("got %v", err)
	}
}

func TestAKeyReplacedBehindTheIndexIsNotUsed(t *testing.T) {
	f := uploads(start(t, func(http.ResponseWriter, *http.Request) { t.Error("STS was asked") }))
	f.Store = keys.NewMemory(map[string]keystore.Key{"work": {ID: "AKIDanotherkeyanotherkeyanothercY9z", Secret: "canary"}})
	_, err := f.Issue(t.Context())
	want := `key "work" in the keystore is AKIDan…cY9z, but tcred added it as AKIDz8…fQv6`
	if e := api.AsError(err); e.Code != api.KeystoreFailed || e.Message != want || e.Hint == "" {
		t.Errorf("got %v", err)
	}
	f.Key.Name = "gone"
	if _, err := f.Issue(t.Context()); api.CodeOf(err) != api.NoKey {
		t.Errorf("a key that is gone: %v", err)
	}
}

// stuckStore is a keystore that answers when the caller gives up.
type stuckStore struct{ keystore.Store }

func (stuckStore) Get(ctx context.Context, _ string) (keystore.Key, error) {
	<-ctx.Done()
	return keystore.Key{}, &api.Error{Code: api.KeystoreTimeout, Message: "stuck", Cause: ctx.Err()}
}

func TestTheKeystoreGetsFiveSeconds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, began := uploads(newClient(t, Options{})), time.Now()
		f.Store = stuckStore{}
		if _, err := f.Issue(t.Context()); api.CodeOf(err) != api.KeystoreTimeout || time.Since(began) != 5*time.Second {
			t.Errorf("after %v: %v", time.Since(began), err)
		}
	})
}

// silent is an STS that never answers.
type silent struct{}

func (silent) RoundTrip(r *http.Request) (*http.Response, error) {
	<-r.Context().Done()
	return nil, r.Context().Err()
}

func TestSTSGetsTenSeconds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, began := uploads(newClient(t, Options{})), time.Now()
		f.Client.transport = silent{}
		_, err := f.Issue(t.Context())
		want := "cannot reach sts.tencentcloudapi.com:443 (i/o timeout); the daemon uses no proxy"
		if err == nil || err.Error() != want || time.Since(began) != 10*time.Second {
			t.Errorf("after %v: %v", time.Since(began), err)
		}
	})
}

func TestTheIDSpellsOutAllThatACredentialDependsOn(t *testing.T) {
	const want = `{"version":1,"call":"GetFederationToken","endpoint":"sts.tencentcloudapi.com","region":"ap-guangzhou",` +
		`"secret_id":"` + testID + `","generation":"0123456789abcdef","name":"uploader","policy":"{\"version\":\"2.0\",` +
		`\"statement\":[{\"effect\":\"deny\",\"action\":\"*\",\"resource\":\"*\"}]}","seconds":3600}`
	client := newClient(t, Options{})
	if id := uploads(client).ID(); id != want {
		t.Errorf("got  %s\nwant %s", id, want)
	}
	for name, change := range map[string]func(*Federation){
		"endpoint":   func(f *Federation) { f.Client = newClient(t, Options{Site: "intl"}) },
		"region":     func(f *Federation) { f.Client = newClient(t, Options{Region: "ap-beijing"}) },
		"SecretId":   func(f *Federation) { f.Key.SecretID += "x" },
		"generation": func(f *Federation) { f.Key.Generation = "x" },
		"name":       func(f *Federation) { f.Name = "x" },
		"policy":     func(f *Federation) { f.Policy += " " },
		"duration":   func(f *Federation) { f.Duration += time.Second },
	} {
		f := uploads(client)
		if change(f); f.ID() == want {
			t.Errorf("another %s makes no other ID", name)
		}
	}
	f := uploads(client)
	f.Profile = "alias"
	if f.ID() != want {
		t.Errorf("a profile's name changes the ID: %s", f.ID())
	}
}
