package keystore

import (
	"strings"
	"testing"

	"github.com/tcred/tcred/internal/human"
)

const (
	consoleID  = "AKIDz8krbsJ5yKBZQpn74WFkmLPx3EXAMPLE"
	consoleKey = "Gu5t9xGARNpq86cd98joQYCN3EXAMPLE"
)

func TestCleanTakesAwayWhatCopyingAdds(t *testing.T) {
	for _, text := range []string{
		consoleID, " " + consoleID + "\t\r\n", `"` + consoleID + `",`, "“" + consoleID + "”", "\ufeff" + consoleID + "\u200b",
		"\u00a0" + consoleID + "\u3000", "`" + consoleID + "`;", "\x1b" + consoleID, "\x1b[200~" + consoleID + "\x1b[201~",
		"[200~" + consoleID, "SecretId: " + consoleID, "export TENCENTCLOUD_SECRET_ID='" + consoleID + "'",
		`"secretId": "` + consoleID + `",`, "SecretId：" + consoleID, consoleID[:9] + "\u200b" + consoleID[9:],
	} {
		if got := Clean(text); got != consoleID {
			t.Errorf("%q became %q", text, got)
		}
	}
}

func TestAKeyIsReadAsPeoplePasteAndWriteIt(t *testing.T) {
	const id, secret = consoleID, consoleKey
	for name, text := range map[string]string{
		"two lines":            id + "\n" + secret,
		"and an end":           id + "\n" + secret + "\n\n",
		"of Windows":           id + "\r\n" + secret + "\r\n",
		"of an old Mac":        id + "\r" + secret,
		"a colon":              id + ":" + secret,
		"a colon and a blank":  id + ": " + secret + "\n",
		"a blank":              id + " " + secret,
		"a tab":                id + "\t" + secret,
		"a comma":              id + "," + secret,
		"a full-width one":     id + "，" + secret,
		"quotes":               "\"" + id + "\" '" + secret + "'",
		"SecretKey.csv":        "SecretId,SecretKey\r\n" + id + "," + secret + "\r\n",
		"with a mark":          "\ufeffSecretId,SecretKey\r\n\"" + id + "\",\"" + secret + "\"\r\n",
		"with columns swapped": "SecretKey,SecretId\n" + secret + "," + id,
		"a .env":               "TENCENTCLOUD_SECRET_ID=" + id + "\nTENCENTCLOUD_SECRET_KEY=\"" + secret + "\"\n",
		"a shell's":            "export TENCENTCLOUD_SECRET_ID=" + id + "\nexport TENCENTCLOUD_SECRET_KEY='" + secret + "'",
		"tccli's":              `{"secretId": "` + id + `", "secretKey": "` + secret + `"}`,
		"an INI, key first":    "secret_key = " + secret + "\nsecret_id = " + id,
		"the console's page":   "SecretId：" + id + "\nSecretKey：" + secret,
		"a paste":              "\x1b[200~" + id + " " + secret + "\x1b[201~",
		"invisible characters": "\u200b" + id + "\u2060 " + secret,
	} {
		if k, err := ParseKey(text); err != nil || k.ID != id || k.Secret != secret {
			t.Errorf("%s: %q %q, %v", name, k.ID, k.Secret.Reveal(), err)
		}
	}
	for text, want := range map[string]Key{
		"AKID1\nsecret": {"AKID1", "secret"}, "AKID1\tse+cr/et==\n\n": {"AKID1", "se+cr/et=="}, "test secret": {"test", "secret"},
	} {
		if k, err := ParseKey(text); err != nil || k != want {
			t.Errorf("%q: %q %q, %v", text, k.ID, k.Secret.Reveal(), err)
		}
	}
}

func TestWhatHoldsNoKeySaysWhyAndQuotesNothing(t *testing.T) {
	const id, secret = consoleID, consoleKey
	for text, want := range map[string]string{
		"": "is empty", "\n": "is empty", "SecretId,SecretKey\r\n": "is empty", id: "one word", id + "\n": "one word",
		id + " " + secret + " x":                     "more than one SecretId",
		id + "," + secret + "\n" + id + "," + secret: "more than one SecretId",
		secret + "\n" + id:                           "swapped",
		secret + " " + secret:                        "looks like a SecretKey",
		id + " " + id:                                "is a SecretId",
		id + " sécret":                               "a character in it",
		id + " Ａ" + secret:                           "a character in it",
		id + "x" + id + " " + secret:                 "temporary key",
		id + " " + strings.Repeat("x", maxPart+1):    "too long",
		"a\x00 b": "no text in UTF-8",
		"\xff\xfeA\x00K\x00I\x00D\x00\n\x00s\x00":           "no text in UTF-8",
		"SecretId: " + secret + "\nSecretKey: " + id:        "swapped",
		"SecretKey: " + id + "\nSecretId: " + secret + "\n": "swapped",
	} {
		k, err := ParseKey(text)
		if err == nil || !strings.Contains(err.Error(), want) || k != (Key{}) ||
			strings.Contains(err.Error(), id[4:]) || strings.Contains(err.Error(), secret) {
			t.Errorf("%q: %v", text, err)
		}
	}
}

func TestNewKeyRefusesWhatCannotBeAKeyAndQuotesNothingOfIt(t *testing.T) {
	const id, secret = consoleID, consoleKey
	for name, c := range map[string]struct{ id, secret, want string }{
		"swapped":               {secret, id, "swapped"},
		"swapped, a short one":  {"other", id, "swapped"},
		"the id twice":          {id, id, "is a SecretId"},
		"the secret twice":      {secret, secret, "looks like a SecretKey"},
		"no id":                 {" ", secret, "SecretId is empty"},
		"no secret":             {id, "''", "SecretKey is empty"},
		"temporary":             {id + "_-2p9q5oWfXyZzZzZzZzZzZzZzZz", secret, "temporary"},
		"both in one line":      {id + " " + secret, secret, "more than one word"},
		"two words":             {id, secret[:10] + " " + secret[10:], "more than one word"},
		"a full-width letter":   {id, "Ａ" + secret, "a character in it"},
		"a colon":               {id, secret[:10] + ":" + secret[10:], "more than one word"},
		"too long":              {id, strings.Repeat(secret, 40), "is too long"},
		"an international id":   {"IKID" + id[4:], secret, ""},
		"as the console has it": {id, secret, ""},
		"an id of another STS":  {"test", secret, ""},
	} {
		k, err := NewKey(c.id, c.secret)
		if c.want == "" {
			if err != nil || k.ID != c.id || k.Secret.Reveal() != c.secret {
				t.Errorf("%s: %v, %v", name, k, err)
			}
			continue
		}
		if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), id[4:]) ||
			strings.Contains(err.Error(), secret) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func FuzzNewKeyIsCleanAndNeverRepeatsWhatItRefuses(f *testing.F) {
	f.Add("AKIDz8krbsJ5yKBZQpn74WFkmLPx3EXAMPLE", "Gu5t9xGARNpq86cd98joQYCN3EXAMPLE")
	f.Add("Gu5t9xGARNpq86cd98joQYCN3EXAMPLE", "AKIDz8krbsJ5yKBZQpn74WFkmLPx3EXAMPLE")
	f.Add("\ufeffAKID\n", "' '")
	f.Fuzz(func(t *testing.T, id, secret string) {
		k, err := NewKey(id, secret)
		if err == nil {
			if !human.Visible(k.ID+k.Secret.Reveal()) || strings.Contains(k.ID+k.Secret.Reveal(), ":") ||
				k.ID == "" || k.Secret == "" || LooksLikeID(k.Secret.Reveal()) ||
				LooksLikeID(k.ID) && len(k.ID) > permanentLength {
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

// What keychain, file and dir hold is read by one parser: whatever it takes can be stored and comes back the same.
func FuzzPair(f *testing.F) {
	for _, seed := range []string{
		"AKID1\nsecret\n", "AKID1:secret", " a  b ", "a:b:c", "\xff:\xff", "::a::b", "SecretId,SecretKey\na,b", "secret_id=a secret_key=b",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		k, err := ParseKey(text)
		if err != nil {
			if k != (Key{}) {
				t.Fatal("refused, but not empty")
			}
			return
		}
		if shown := visible(text); !strings.Contains(shown, k.ID) || !strings.Contains(shown, k.Secret.Reveal()) {
			t.Fatalf("%q and %q are not in %q", k.ID, k.Secret.Reveal(), text)
		}
		stored, err := encodePair(k)
		if err != nil {
			t.Fatalf("%q cannot be stored: %v", text, err)
		}
		if again, err := ParseKey(stored); err != nil || again != k {
			t.Fatalf("%q became %q", text, stored)
		}
	})
}
