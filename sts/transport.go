package sts

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io/fs"
	"net"
	"net/http"
	"net/url"
	"os"
	"time"

	"github.com/tcred/tcred/api"
)

// The hosts of the two sites (the seed pages of GetCallerIdentity and GetFederationToken).
const (
	hostCN   = "sts.tencentcloudapi.com"
	hostIntl = "sts.intl.tencentcloudapi.com"
)

// newTransport has no proxy but the one given, and keeps no connection: calls are far apart, and a
// connection that outlived a laptop's sleep would only cost a timeout.
func newTransport(proxy *url.URL, roots *x509.CertPool) *http.Transport {
	t := &http.Transport{
		DialContext:            (&net.Dialer{Timeout: 5 * time.Second}).DialContext,
		TLSClientConfig:        &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12},
		TLSHandshakeTimeout:    5 * time.Second,
		MaxResponseHeaderBytes: 64 << 10,
		DisableKeepAlives:      true,
	}
	if proxy != nil {
		t.Proxy = http.ProxyURL(proxy)
	}
	return t
}

// parseEndpoint finds where STS is. Plain http goes to loopback only: answers carry credentials.
func parseEndpoint(site, endpoint string) (*url.URL, error) {
	if endpoint == "" {
		switch site {
		case "", "cn":
			return &url.URL{Scheme: "https", Host: hostCN}, nil
		case "intl":
			return &url.URL{Scheme: "https", Host: hostIntl}, nil
		}
		return nil, invalid("no site \""+site+"\"", `site = "cn" or site = "intl"`)
	}
	u, err := url.Parse(endpoint)
	if err != nil || u.Hostname() == "" || (u.Scheme != "https" && u.Scheme != "http") {
		return nil, invalid("endpoint is not a URL of https", `such as endpoint = "https://`+hostCN+`"`)
	}
	if u.User != nil || (u.Path != "" && u.Path != "/") || u.RawQuery != "" || u.Fragment != "" {
		return nil, invalid("endpoint "+u.Redacted()+" has more than a scheme, a host and a port",
			`write endpoint = "`+u.Scheme+"://"+u.Host+`"`)
	}
	if u.Scheme == "http" && !isLoopback(u.Hostname()) {
		return nil, invalid("endpoint "+u.Redacted()+" would send credentials in the clear", "plain http goes to loopback only: write https")
	}
	return &url.URL{Scheme: u.Scheme, Host: u.Host}, nil
}

// parseProxy reads the proxy's URL. A loopback endpoint is never reached through one.
func parseProxy(proxy string, endpoint *url.URL) (*url.URL, error) {
	if proxy == "" {
		return nil, nil
	}
	u, err := url.Parse(proxy)
	if err != nil || u.Hostname() == "" {
		return nil, invalid("proxy is not a URL", `such as proxy = "http://proxy.corp:8080"`)
	}
	switch u.Scheme {
	case "http", "https", "socks5":
	default:
		return nil, invalid("proxy "+u.Redacted()+" is of no known kind", "a proxy's URL begins with http, https or socks5")
	}
	if isLoopback(endpoint.Hostname()) {
		return nil, nil
	}
	return u, nil
}

func isLoopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || (ip != nil && ip.IsLoopback())
}

// loadRoots adds a file's certificates to the system's; nil means the system's alone.
func loadRoots(file string) (*x509.CertPool, error) {
	if file == "" {
		return nil, nil
	}
	pem, err := os.ReadFile(file)
	if err != nil {
		var pathErr *fs.PathError
		if errors.As(err, &pathErr) {
			err = pathErr.Err
		}
		return nil, invalid("ca_file "+file+" cannot be read: "+err.Error(), "ca_file names a file of PEM certificates")
	}
	roots, err := x509.SystemCertPool()
	if err != nil {
		roots = x509.NewCertPool()
	}
	if !roots.AppendCertsFromPEM(pem) {
		return nil, invalid("ca_file "+file+" holds no PEM certificate", "it should have lines that say BEGIN CERTIFICATE")
	}
	return roots, nil
}

func invalid(message, hint string) error {
	return &api.Error{Code: api.ConfigInvalid, Message: message, Hint: hint}
}
