package emulator

import (
	"testing"
	"time"

	"github.com/tcred/tcred/credential"
)

func TestFederationTokenParameters(t *testing.T) {
	w := newWorld(t, Options{})
	for name, c := range map[string]struct {
		parameter string
		value     any
		code      string
	}{
		"letters":                {"Name", "SUN", ""},
		"a hyphen":               {"Name", "cos-sts-sdk", ""},
		"no name":                {"Name", nil, "MissingParameter"},
		"an empty name":          {"Name", "", "InvalidParameter.ParamError"},
		"a name with a space":    {"Name", "a b", "InvalidParameter.ParamError"},
		"a name of digits":       {"Name", "123", "InvalidParameter.ParamError"},
		"a number for a name":    {"Name", 1, "InvalidParameter"},
		"no policy":              {"Policy", nil, "MissingParameter"},
		"a policy as it is":      {"Policy", allowAll, "InvalidParameter.StrategyFormatError"},
		"a policy as JSON":       {"Policy", map[string]any{}, "InvalidParameter"},
		"a second":               {"DurationSeconds", 1, ""},
		"no time":                {"DurationSeconds", 0, "InvalidParameter.ParamError"},
		"negative time":          {"DurationSeconds", -1, "InvalidParameter.ParamError"},
		"a duration as a string": {"DurationSeconds", "1800", "InvalidParameter"},
		"half a second":          {"DurationSeconds", 0.5, "InvalidParameter"},
		"a parameter of no call": {"Duration", 1800, "UnknownParameter"},
	} {
		t.Run(name, func(t *testing.T) {
			params := federation()
			params[c.parameter] = c.value
			w.ask(t, post(keyOf(w.root), GetFederationToken, params, noon)).wantCode(t, c.code)
		})
	}
}

func TestDurationIsHeldToTheAccount(t *testing.T) {
	w := newWorld(t, Options{})
	for _, c := range []struct {
		name    string
		account Account
		asked   int64 // 0: left out
		got     int64
		code    string
	}{
		{"root, left out", w.root, 0, 1800, ""},
		{"root, longest", w.root, 7200, 7200, ""},
		{"root, over it", w.root, 7201, 0, "InvalidParameter.OverTimeError"},
		{"sub-account, left out", w.sub, 0, 1800, ""},
		{"sub-account, longest", w.sub, 129600, 129600, ""},
		{"sub-account, over it", w.sub, 129601, 0, "InvalidParameter.OverTimeError"},
	} {
		t.Run(c.name, func(t *testing.T) {
			params := federation()
			if c.asked != 0 {
				params["DurationSeconds"] = c.asked
			}
			got := w.ask(t, post(keyOf(c.account), GetFederationToken, params, noon))
			got.wantCode(t, c.code)
			if c.code != "" {
				return
			}
			end := noon.Add(time.Duration(c.got) * time.Second)
			if got.ExpiredTime != end.Unix() || got.Expiration == nil || *got.Expiration != end.Format("2006-01-02T15:04:05Z") {
				t.Errorf("expires %d, want %d and the same in words", got.ExpiredTime, end.Unix())
			}
		})
	}
}

func TestTokensHaveTheSizeAskedFor(t *testing.T) {
	for name, c := range map[string]struct{ asked, got int }{
		"usual": {0, usualToken}, "small": {100, 100}, "longest": {MaxToken, MaxToken}, "too long": {5000, MaxToken},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, Options{TokenSize: c.asked})
			got := w.ask(t, post(keyOf(w.root), GetFederationToken, federation(), noon)).Credentials
			if len(got.Token) != c.got {
				t.Errorf("a token of %d bytes, want %d", len(got.Token), c.got)
			}
			if len(got.TmpSecretID) > 1024 || len(got.TmpSecretKey) > 1024 || got.TmpSecretKey == "" || !secretIDForm.MatchString(got.TmpSecretID) {
				t.Error("TmpSecretId or TmpSecretKey is out of shape")
			}
		})
	}
}

func TestTemporaryCredentialsBegetNoOthers(t *testing.T) {
	w := newWorld(t, Options{})
	first := w.ask(t, post(keyOf(w.sub), GetFederationToken, federation(), noon)).Credentials
	role := w.SeedRole(w.sub, "4611686018427410000", "ci", time.Hour)
	for name, k := range map[string]key{
		"a federated user": {first.TmpSecretID, credential.Secret(first.TmpSecretKey), credential.Secret(first.Token)},
		"a role session":   keyOfCredential(role),
	} {
		t.Run(name, func(t *testing.T) {
			w.ask(t, post(k, GetFederationToken, federation(), noon)).wantCode(t, "FailedOperation.TempKeyNotAllowed")
		})
	}
}

func TestCallerIdentityIsTheDocumentedOne(t *testing.T) {
	w := newWorld(t, Options{})
	w.root.AccountID, w.root.UIN = "100000000001", "100000000001"
	w.sub.AccountID, w.sub.UIN = "100000000001", "100000000002"
	w.Emulator = New(Options{Accounts: []Account{w.root, w.sub}, Now: w.clock.now})
	federated := w.ask(t, post(keyOf(w.sub), GetFederationToken, federation(), noon)).Credentials
	for name, c := range map[string]struct {
		key  key
		want identity
	}{
		"root account": {keyOf(w.root), identity{
			"CAMUser", "100000000001", "100000000001", "100000000001", "qcs::cam:100000000001:uin/100000000001",
		}},
		"sub-account": {keyOf(w.sub), identity{
			"CAMUser", "100000000001", "100000000002", "100000000002", "qcs::cam:100000000001:uin/100000000002",
		}},
		"federated user": {
			key{federated.TmpSecretID, credential.Secret(federated.TmpSecretKey), credential.Secret(federated.Token)},
			identity{
				"CAMUser", "100000000001", "100000000002:upload-client", "100000000002",
				"qcs::sts:100000000001:federated-user/100000000002",
			},
		},
		"role session": {keyOfCredential(w.SeedRole(w.sub, "4611686018427410000", "ci", time.Hour)), identity{
			"CAMRole", "100000000001", "4611686018427410000:ci", "100000000002",
			"qcs::sts:100000000001:assumed-role/4611686018427410000",
		}},
	} {
		t.Run(name, func(t *testing.T) {
			got := w.ask(t, post(c.key, GetCallerIdentity, struct{}{}, noon))
			got.wantCode(t, "")
			if got.identity != c.want {
				t.Errorf("got  %+v\nwant %+v", got.identity, c.want)
			}
		})
	}
}

func TestQuotasAreASecondAndAnAccount(t *testing.T) {
	w := newWorld(t, Options{})
	other := NewAccount(true)
	w.accounts[other.SecretID] = other
	for action, c := range map[string]struct {
		quota  int
		params any
	}{GetFederationToken: {600, federation()}, GetCallerIdentity: {20, struct{}{}}} {
		t.Run(action, func(t *testing.T) {
			ask := func(a Account) answer { return w.ask(t, post(keyOf(a), action, c.params, w.clock.now())) }
			for range c.quota {
				ask(w.root).wantCode(t, "")
			}
			ask(w.root).wantCode(t, "RequestLimitExceeded")
			ask(w.sub).wantCode(t, "RequestLimitExceeded") // the same account's
			ask(other).wantCode(t, "")
			w.clock.advance(time.Second)
			ask(w.root).wantCode(t, "")
		})
	}
}
