package keys

import (
	"strings"
	"testing"

	"github.com/tcred/tcred/internal/human"
	"github.com/tcred/tcred/keystore"
)

func TestTrimTakesAwayWhatCopyingAdds(t *testing.T) {
	const want = "AKIDz8krbsJ5yKBZQpn74WFkmLPx3EXAMPLE"
	for _, text := range []string{
		want, " " + want + "\t\r\n", `"` + want + `",`, "“" + want + "”", "\ufeff" + want + "\u200b", "\u00a0" + want + "\u3000", "`" + want + "`;",
		"\x1b" + want,
	} {
		if got := Trim(text); got != want {
			t.Errorf("%q became %q", text, got)
		}
	}
}

func TestPastedRefusesWhatCannotBeAKeyAndQuotesNothingOfIt(t *testing.T) {
	const id, secret = "AKIDz8krbsJ5yKBZQpn74WFkmLPx3EXAMPLE", "Gu5t9xGARNpq86cd98joQYCN3EXAMPLE"
	for name, c := range map[string]struct{ id, secret, want string }{
		"swapped":               {secret, id, "swapped"},
		"swapped, a short one":  {"other", id, "swapped"},
		"the id twice":          {id, id, "is a SecretId"},
		"the secret twice":      {secret, secret, "looks like a SecretKey"},
		"no id":                 {" ", secret, "SecretId is empty"},
		"no secret":             {id, "''", "SecretKey is empty"},
		"temporary":             {id + "_-2p9q5oWfXyZzZzZzZzZzZzZzZz", secret, "temporary"},
		"both in one line":      {id + " " + secret, secret, "temporary"}, // too long for a permanent one
		"two words":             {id, secret[:10] + " " + secret[10:], "a character in it"},
		"a full-width letter":   {id, "Ａ" + secret, "a character in it"},
		"a colon":               {id, secret[:10] + ":" + secret[10:], "a character in it"},
		"too long":              {id, strings.Repeat(secret, 40), "is too long"},
		"an international id":   {"IKID" + id[4:], secret, ""},
		"as the console has it": {id, secret, ""},
		"an id of another STS":  {"test", secret, ""},
	} {
		k, err := Pasted(c.id, c.secret)
		if c.want == "" {
			if err != nil || k.ID != c.id || k.Secret.Reveal() != c.secret {
				t.Errorf("%s: %v, %v", name, k, err)
			}
			continue
		}
		if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), id[4:]) || strings.Contains(err.Error(), secret) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func FuzzPastedIsCleanAndNeverRepeatsWhatItRefuses(f *testing.F) {
	f.Add("AKIDz8krbsJ5yKBZQpn74WFkmLPx3EXAMPLE", "Gu5t9xGARNpq86cd98joQYCN3EXAMPLE")
	f.Add("Gu5t9xGARNpq86cd98joQYCN3EXAMPLE", "AKIDz8krbsJ5yKBZQpn74WFkmLPx3EXAMPLE")
	f.Add("\ufeffAKID\n", "' '")
	f.Fuzz(func(t *testing.T, id, secret string) {
		k, err := Pasted(id, secret)
		if err == nil {
			if !human.Visible(k.ID+k.Secret.Reveal()) || strings.Contains(k.ID+k.Secret.Reveal(), ":") ||
				k.ID == "" || k.Secret == "" || keystore.LooksLikeID(k.Secret.Reveal()) || temporary(k.ID) {
				t.Fatalf("%q, %q became a key", id, secret)
			}
			return
		}
		for _, part := range []string{id, secret} {
			if len(part) >= 12 && strings.Contains(err.Error(), part) {
				t.Fatalf("%q, %q: %v", id, secret, err)
			}
		}
	})
}
