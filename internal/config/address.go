package config

import (
	"fmt"
	"net/netip"
	"net/url"
	"slices"
	"strings"

	"github.com/tcred/tcred/api"
)

// ParseEndpoint reads a URL that a key may be sent to: over TLS, or within this machine. What it returns has a scheme
// and a host alone. Errors have the code api.ConfigInvalid.
func ParseEndpoint(s string) (*url.URL, error) {
	const hint = "like https://sts.tencentcloudapi.com, or http://127.0.0.1:8085 for an emulator"
	u, err := url.Parse(s)
	switch {
	case err != nil || u.Hostname() == "" || u.User != nil,
		strings.Trim(u.Path, "/") != "" || u.RawQuery != "" || u.Fragment != "":
		return nil, invalid("endpoint must be a URL of a scheme and a host", hint)
	case u.Scheme == "http" && !IsLoopback(u.Hostname()):
		return nil, invalid(fmt.Sprintf("endpoint %s: plain http goes to loopback only", u.Host), "use https")
	case u.Scheme != "http" && u.Scheme != "https":
		return nil, invalid(fmt.Sprintf("endpoint has the scheme %q", u.Scheme), hint)
	}
	return &url.URL{Scheme: u.Scheme, Host: u.Host}, nil
}

// ParseProxy reads a proxy's URL. It may hold a password, so the error shows nothing of it. The error's code is
// api.ConfigInvalid.
func ParseProxy(s string) (*url.URL, error) {
	u, err := url.Parse(s)
	if err != nil || u.Hostname() == "" || !slices.Contains([]string{"http", "https", "socks5"}, u.Scheme) {
		return nil, invalid("proxy must be a URL with a scheme of http, https or socks5", "like http://proxy.corp:8080")
	}
	return u, nil
}

// IsLoopback reports whether host, a name or an address without a port, is this machine.
func IsLoopback(host string) bool {
	ip, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && ip.IsLoopback()
}

func invalid(message, hint string) *api.Error {
	return &api.Error{Code: api.ConfigInvalid, Message: message, Hint: hint}
}
