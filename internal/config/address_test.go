package config

import (
	"strings"
	"testing"

	"github.com/tcred/tcred/api"
)

func TestAnEndpointIsHTTPSOrOnThisMachine(t *testing.T) {
	for endpoint, host := range map[string]string{
		"https://sts.example.com":  "sts.example.com",
		"https://sts.example.com/": "sts.example.com", "https://10.0.0.1:8443": "10.0.0.1:8443",
		"http://127.0.0.1:8085": "127.0.0.1:8085", "http://127.9.9.9": "127.9.9.9", "http://[::1]:8085": "[::1]:8085",
		"http://localhost:8085": "localhost:8085",
	} {
		u, err := ParseEndpoint(endpoint)
		if err != nil || u.Host != host {
			t.Errorf("%q: %v", endpoint, err)
		}
	}
	for endpoint, says := range map[string]string{
		"http://sts.example.com":           "plain http goes to loopback only",
		"sts.example.com":                  "a URL of a scheme and a host",
		"https://u:canary@sts.example.com": "a URL of a scheme and a host",
	} {
		_, err := ParseEndpoint(endpoint)
		if api.CodeOf(err) != api.ConfigInvalid || !strings.Contains(err.Error(), says) || strings.Contains(err.Error(), "canary") {
			t.Errorf("%q: %v", endpoint, err)
		}
	}
}

func TestAProxyIsAURLAndItsPasswordIsNotShown(t *testing.T) {
	_, err := ParseProxy("ftp://u:canary@proxy.corp")
	if api.CodeOf(err) != api.ConfigInvalid || !strings.Contains(err.Error(), "http, https or socks5") || strings.Contains(err.Error(), "canary") {
		t.Errorf("got %v", err)
	}
}
