package config

import "testing"

func TestOtherWordsForASettingAreUnderstood(t *testing.T) {
	for word, want := range map[string]string{
		"zh_CN": "zh", "zh-Hans": "zh", "ZH_cn.UTF-8": "zh", "Chinese": "zh", "en_US.UTF-8": "en", "English": "en", "EN": "en",
		"french": "",
	} {
		if got := meant(word, Languages); got != want {
			t.Errorf("language %q: %q, want %q", word, got, want)
		}
	}
	for word, want := range map[string]string{"china": "cn", "CN": "cn", "International": "intl", "global": "intl", "moon": ""} {
		if got := meant(word, Sites); got != want {
			t.Errorf("site %q: %q, want %q", word, got, want)
		}
	}
	for word, want := range map[string]string{
		"Keychain": "keychain", "keyring": "keychain", "files": "file", "environment": "env", "directory": "dir", "vault": "",
	} {
		if got := meant(word, Backends); got != want {
			t.Errorf("backend %q: %q, want %q", word, got, want)
		}
	}
}
