package human

import (
	"strings"
	"testing"
	"time"
)

func TestALineIsSafeOnATerminalAndEnds(t *testing.T) {
	for text, want := range map[string]string{
		"a\x1b]0;b\ac":                      "a ]0;b c",
		"a\u009bb\u202ec\u2066d\x7f\u200ee": "a b c d  e",
		"配置 ok":                             "配置 ok",
		strings.Repeat("字", 60_000):         strings.Repeat("字", maxLine) + "…",
	} {
		if got := OneLine(text); got != want {
			t.Errorf("%.40q: got %.40q", text, got)
		}
	}
}

func TestVisibleIsEveryASCIICharacterWithAShape(t *testing.T) {
	for text, want := range map[string]bool{
		"": true, "!~": true, "a b": false, "a\n": false, "\x7f": false, "\x00": false, "é": false, "Ａ": false,
	} {
		if got := Visible(text); got != want {
			t.Errorf("%q: %v", text, got)
		}
	}
}

func TestSpanLeavesOutZeroes(t *testing.T) {
	for d, want := range map[time.Duration]string{
		0: "0s", 2 * time.Hour: "2h", 90 * time.Minute: "1h30m", 20 * time.Minute: "20m", 10 * time.Second: "10s",
		time.Hour + time.Second: "1h0m1s", 100 * time.Minute: "1h40m", 110*time.Minute + 10*time.Second: "1h50m10s",
		-time.Hour: "-1h",
	} {
		if got := Span(d); got != want {
			t.Errorf("%v: %q, want %q", d, got, want)
		}
	}
}

func TestWhatLooksLikeASecretIsFoundInsideOtherText(t *testing.T) {
	for text, want := range map[string]bool{
		"AKIDz8krbsJ5yKBZQpn74WFkmLPxfQv6":               true,
		"Gu5t9xGARNpq86cd98joQYCN3EXAMPLE":               true,
		"--secret-key=Gu5t9xGARNpq86cd98joQYCN3EXAMPLE!": true,
		"Prod-eu-west-1-Terraform-State":                 false,
		"upload":                                         false,
		"3f2504e04f8911d39a0c0305e82c3301":               false,
		"WhatHasNoDigitIsNoKeyHowEverLong":               false,
		"":                                               false,
	} {
		if got := LooksSecret(text); got != want {
			t.Errorf("%q: %v", text, got)
		}
	}
}
