package config

import (
	"testing"
)

func TestNearestIsWhatWasMeantOrNothing(t *testing.T) {
	names := []string{"upload", "backup", "work", "db"}
	for word, want := range map[string]string{
		"uplaod": "upload", "UPLOAD": "upload", "upload2": "upload", "wrok": "work", "dv": "db",
		"download": "", "x": "", "": "", "other": "", "w": "",
	} {
		if got := nearest(word, names); got != want {
			t.Errorf("nearest(%q) = %q, want %q", word, got, want)
		}
	}
}

func TestOtherWordsForASettingAreUnderstood(t *testing.T) {
	for word, want := range map[string]string{
		"zh_CN": "zh", "zh-Hans": "zh", "ZH_cn.UTF-8": "zh", "Chinese": "zh", "en_US.UTF-8": "en", "English": "en", "EN": "en",
		"french": "",
	} {
		if got := nearest(word, Languages); got != want {
			t.Errorf("language %q: %q, want %q", word, got, want)
		}
	}
	for word, want := range map[string]string{"china": "cn", "CN": "cn", "International": "intl", "global": "intl", "moon": ""} {
		if got := nearest(word, Sites); got != want {
			t.Errorf("site %q: %q, want %q", word, got, want)
		}
	}
	for word, want := range map[string]string{
		"Keychain": "keychain", "keyring": "keychain", "files": "file", "environment": "env", "directory": "dir", "vault": "",
	} {
		if got := nearest(word, Backends); got != want {
			t.Errorf("backend %q: %q, want %q", word, got, want)
		}
	}
}
