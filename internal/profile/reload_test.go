package profile

import (
	"maps"
	"testing"
)

func TestLANGChoosesTheLanguageWhereConfigDoesNot(t *testing.T) {
	for lang, want := range map[string]string{"": "en", "zh_CN.UTF-8": "zh", "zh": "zh", "C.UTF-8": "en", "en_US.UTF-8": "en"} {
		t.Setenv("LANG", lang)
		if got := localeLanguage(); got != want {
			t.Errorf("LANG=%s: %s", lang, got)
		}
	}
}

func TestAChangeWhileAFileIsReadIsStillToBeSeen(t *testing.T) {
	before := fingerprints{"config.toml": "1", "gone.json": "1", "same.json": "1"}
	after := fingerprints{"config.toml": "2", "same.json": "1", "new.json": "1"}
	want := fingerprints{"config.toml": "1", "same.json": "1", "new.json": "1"}
	if got := maps.Clone(after).readSince(before); !maps.Equal(got, want) {
		t.Errorf("got %v", got)
	}
}
