package profile

import "testing"

func TestLANGChoosesTheLanguageWhereConfigDoesNot(t *testing.T) {
	for lang, want := range map[string]string{"": "en", "zh_CN.UTF-8": "zh", "zh": "zh", "C.UTF-8": "en", "en_US.UTF-8": "en"} {
		t.Setenv("LANG", lang)
		if got := localeLanguage(); got != want {
			t.Errorf("LANG=%s: %s", lang, got)
		}
	}
}
