package sts_test

import (
	"net/http/httptest"
	"net/url"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/tcred/tcred/api"
	"github.com/tcred/tcred/emulator"
	"github.com/tcred/tcred/internal/policy"
	"github.com/tcred/tcred/internal/sts"
	"github.com/tcred/tcred/keystore"
)

// world is an emulator with one sub-account, the client that talks to it and the account's key.
type world struct {
	*emulator.Emulator
	account emulator.Account
	client  *sts.Client
	key     keystore.Key
}

func newWorld(t *testing.T, root bool) world {
	t.Helper()
	account := emulator.NewAccount(root)
	e := emulator.New(emulator.Options{Accounts: []emulator.Account{account}})
	server := httptest.NewServer(e)
	t.Cleanup(server.Close)
	endpoint, err := url.Parse(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	client, err := sts.NewClient(sts.Options{Endpoint: endpoint, Region: "ap-guangzhou"})
	if err != nil {
		t.Fatal(err)
	}
	return world{e, account, client, keystore.Key{ID: account.SecretID, Secret: account.SecretKey}}
}

// issue asks for a credential as profile "upload" with key "work".
func (w world) issue(t *testing.T, key keystore.Key, d time.Duration) error {
	t.Helper()
	_, err := w.client.FederationToken(t.Context(), key.ID, key.Secret, sts.FederationRequest{
		Name: "upload", Policy: policy.DenyAll, Duration: d, Subject: sts.Subject{Profile: "upload", Key: "work"},
	})
	return err
}

func TestAStrictSTSGrantsACredentialAndKnowsItAgain(t *testing.T) {
	w := newWorld(t, false)
	began := time.Now()
	c, err := w.client.FederationToken(t.Context(), w.key.ID, w.key.Secret, sts.FederationRequest{Name: "upload", Policy: policy.DenyAll, Duration: 12 * time.Hour})
	if err != nil || c.IsZero() || c.RequestID == "" {
		t.Fatal(c, err)
	}
	if left := c.Expires.Sub(began); left > 12*time.Hour-time.Minute+time.Second || left < 12*time.Hour-time.Minute-2*time.Second {
		t.Errorf("lives %v", left)
	}
	id, err := w.client.CallerIdentity(t.Context(), c.SecretID, c.SecretKey, c.Token)
	if err != nil || id.UserID != w.account.UIN+":upload" || id.AccountID != w.account.AccountID || id.RequestID == "" {
		t.Errorf("the credential is %+v, %v", id, err)
	}
	id, err = w.client.CallerIdentity(t.Context(), w.key.ID, w.key.Secret, "")
	if err != nil || id.UserID != w.account.UIN {
		t.Errorf("the key is %+v, %v", id, err)
	}
	if w.Calls("") != 3 {
		t.Errorf("%d calls", w.Calls(""))
	}
	_, err = w.client.FederationToken(t.Context(), c.SecretID, c.SecretKey, sts.FederationRequest{Name: "upload", Policy: policy.DenyAll, Duration: time.Hour})
	if api.CodeOf(err) != api.STSCredential {
		t.Errorf("a temporary key gets %v", err)
	}
}

func TestAStrictSTSsRefusalsAreExplained(t *testing.T) {
	w, root := newWorld(t, false), newWorld(t, true)
	wrong, unknown := w.key, w.key
	wrong.Secret, unknown.ID = "wrong", "AKIDunknownunknownunknownunknown1234"
	for _, tt := range []struct {
		err  error
		code api.Code
		says string
	}{
		{w.issue(t, wrong, time.Hour), api.STSCredential, "the SecretKey does not fit SecretId "},
		{w.issue(t, unknown, time.Hour), api.STSCredential, "tencent cloud does not know SecretId AKIDun…1234"},
		{w.issue(t, w.key, 37*time.Hour), api.STSRequest, `tencent cloud refuses a life of 37h for profile "upload" with key "work": `},
		{root.issue(t, root.key, 12*time.Hour), api.STSRequest, `tencent cloud refuses a life of 12h for profile "upload" with key "work": `},
	} {
		if e := api.AsError(tt.err); tt.err == nil || e.Code != tt.code || !strings.HasPrefix(e.Message, tt.says) || e.RequestID == "" {
			t.Errorf("want %s %q, got %v", tt.code, tt.says, tt.err)
		}
	}
}

func TestAClockThatIsOffIsMeasured(t *testing.T) {
	w := newWorld(t, false)
	for skew, says := range map[time.Duration]string{
		10 * time.Minute: " behind tencent cloud; 5m is", -10 * time.Minute: " ahead of tencent cloud; 5m is",
	} {
		w.Heal()
		w.Fail(emulator.Fault{Skew: skew})
		err := w.issue(t, w.key, time.Hour)
		if api.CodeOf(err) != api.STSClock || !strings.Contains(err.Error(), says) {
			t.Errorf("%v: %v", skew, err)
		}
	}
}

func TestEveryCodeOfThePagesReachesThePersonExplained(t *testing.T) {
	text, err := os.ReadFile("testdata/seed-codes.txt")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		code := strings.TrimSpace(line)
		if code == "" || code[0] == '#' {
			continue
		}
		w := newWorld(t, false)
		w.Fail(emulator.Fault{Code: code, Message: "the emulator says so"})
		_, identityErr := w.client.CallerIdentity(t.Context(), w.key.ID, w.key.Secret, "")
		for _, err := range []error{w.issue(t, w.key, time.Hour), identityErr} {
			e := api.AsError(err)
			short, _, _ := strings.Cut(e.RequestID, "-")
			if err == nil || short == "" || !strings.HasSuffix(e.Message, " ("+code+", request "+short+")") || e.Hint == "" || e.Code == api.Internal {
				t.Errorf("%s reads %v", code, err)
			}
		}
	}
}

func TestSpoiledAnswersAreErrorsAndANullExpirationIsNone(t *testing.T) {
	for body, says := range map[emulator.Body]string{
		emulator.Garble: "not JSON", emulator.Cut: "cut short", emulator.HTML: "an HTML page", emulator.Empty: "nothing",
		emulator.Huge: "more than 1 MiB", emulator.Expired: "a credential that has expired",
	} {
		w := newWorld(t, false)
		w.Fail(emulator.Fault{Body: body})
		if err := w.issue(t, w.key, time.Hour); api.CodeOf(err) != api.STSAnswer || !strings.Contains(err.Error(), says) {
			t.Errorf("%s: %v", body, err)
		}
	}
	w := newWorld(t, false)
	w.Fail(emulator.Fault{Body: emulator.NullExpiration})
	if err := w.issue(t, w.key, time.Hour); err != nil {
		t.Error(err)
	}
}
