package profile

import "testing"

func TestTheLocaleChoosesTheLanguageWhereConfigDoesNot(t *testing.T) {
	for _, tt := range []struct{ all, messages, lang, want string }{
		{"", "", "", "en"},
		{"", "", "zh_CN.UTF-8", "zh"},
		{"", "", "zh", "zh"},
		{"", "", "C.UTF-8", "en"},
		{"", "zh_TW.UTF-8", "en_US.UTF-8", "zh"},
		{"", "en_US.UTF-8", "zh_CN.UTF-8", "en"},
		{"C", "zh_CN.UTF-8", "zh_CN.UTF-8", "en"},
		{"zh_CN.UTF-8", "en_US.UTF-8", "C", "zh"},
	} {
		t.Setenv("LC_ALL", tt.all)
		t.Setenv("LC_MESSAGES", tt.messages)
		t.Setenv("LANG", tt.lang)
		if got := localeLanguage(); got != tt.want {
			t.Errorf("%+v: %s", tt, got)
		}
	}
}
