package keystore

import "testing"

func TestAnEntrySaysWhoseTheKeyIsAndShowsNoWholeSecretID(t *testing.T) {
	const id = "AKIDz8krbsJ5yKBZQpn74WFkmLPx3EXAMPLE"
	for _, c := range []struct {
		entry                   Entry
		wantOwner, wantDescribe string
	}{
		{
			Entry{SecretID: id, Type: IdentityRoot, AccountID: "1001", UserID: "1001", Site: "intl"},
			"root account 1001", "root account 1001, SecretId AKIDz8…MPLE, site intl",
		},
		{
			Entry{SecretID: id, Type: IdentitySub, AccountID: "1001", UserID: "2002"},
			"sub-account 2002", "sub-account 2002 of account 1001, SecretId AKIDz8…MPLE",
		},
		{Entry{SecretID: id, Site: "cn"}, "", "SecretId AKIDz8…MPLE, not tried, site cn"},
	} {
		if got := c.entry.Owner(); got != c.wantOwner {
			t.Errorf("owner %q, want %q", got, c.wantOwner)
		}
		if got := c.entry.Describe(); got != c.wantDescribe {
			t.Errorf("described as %q, want %q", got, c.wantDescribe)
		}
	}
}

func TestASecretIDOfEitherSiteIsRecognized(t *testing.T) {
	for id, want := range map[string]bool{
		"AKIDz8krbsJ5yKBZ": true, "IKIDz8krbsJ5yKBZ": true, "AKIAIOSFODNN7EXAMPLE": false, "": false,
	} {
		if got := LooksLikeID(id); got != want {
			t.Errorf("%q: %v", id, got)
		}
	}
}
