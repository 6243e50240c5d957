package keys

import (
	"errors"
	"strings"
	"testing"

	"github.com/tcred/tcred/api"
	"github.com/tcred/tcred/keystore"
)

func TestOnlyAKeyOfTheSameAccountIsBeyondDoubt(t *testing.T) {
	old := keystore.Entry{Name: "k", SecretID: "AKIDold", AccountID: "1", UserID: "2", Type: keystore.IdentitySub}
	unknown := keystore.Entry{Name: "k", SecretID: "AKIDold"}
	fresh := func(account string) keystore.Entry {
		return keystore.Entry{Name: "k", SecretID: "AKIDnew", AccountID: account, UserID: account, Type: keystore.IdentityRoot}
	}
	for name, c := range map[string]struct {
		old, fresh keystore.Entry
		doubt      string
	}{
		"no old one":         {keystore.Entry{}, fresh("1"), ""},
		"the same key":       {unknown, keystore.Entry{Name: "k", SecretID: "AKIDold"}, ""},
		"one account":        {old, fresh("1"), ""},
		"two":                {old, fresh("3"), "are of two accounts"},
		"an old one untried": {unknown, fresh("1"), "may be of two accounts"},
		"a new one untried":  {old, keystore.Entry{Name: "k", SecretID: "AKIDnew"}, "may be of two accounts"},
		"both untried":       {unknown, keystore.Entry{Name: "k", SecretID: "AKIDnew"}, "may be of two accounts"},
	} {
		got := Replacement{Old: c.old, New: c.fresh}.Doubt()
		if (got == "") != (c.doubt == "") || !strings.HasSuffix(got, c.doubt) {
			t.Errorf("%s: %q", name, got)
		}
	}
}

func TestTheOldKeyIsDisabledAtItsOwnSite(t *testing.T) {
	const cn, intl = "https://console.cloud.tencent.com/cam/capi", "https://console.tencentcloud.com/cam/capi"
	for _, c := range []struct{ old, fresh, id, want string }{
		{"cn", "intl", "AKIDx", cn}, {"intl", "cn", "AKIDx", intl}, {"", "intl", "AKIDx", intl}, {"", "", "IKIDx", intl}, {"", "", "AKIDx", cn},
	} {
		r := Replacement{Old: keystore.Entry{Site: c.old, SecretID: c.id}, New: keystore.Entry{Site: c.fresh}}
		if got := r.ConsoleURL(); got != c.want {
			t.Errorf("%+v: %s", c, got)
		}
	}
}

func TestTheHalfOfAKeyThatIsWrongIsKnown(t *testing.T) {
	refused := func(code string) error {
		return &api.Error{Code: api.STSCredential, Message: "no (" + code + ", request 1)"}
	}
	for want, errs := range map[Half][]error{
		SecretID:  {refused("AuthFailure.SecretIdNotFound"), refused("AuthFailure.InvalidSecretId")},
		SecretKey: {refused("AuthFailure.SignatureFailure")},
		Neither: {
			nil, errors.New("AuthFailure.SignatureFailure"), refused("AuthFailure.TokenFailure"),
			&api.Error{Code: api.STSPermission, Message: "AuthFailure.SecretIdNotFound"},
		},
	} {
		for _, err := range errs {
			if got := WrongHalf(err); got != want {
				t.Errorf("%v: %d, want %d", err, got, want)
			}
		}
	}
}
