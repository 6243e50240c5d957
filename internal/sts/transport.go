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
	"github.com/tcred/tcred/internal/config"
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

// endpointOf is where STS is: at the endpoint that config names, else at the site's own.
func endpointOf(site, endpoint string) (*url.URL, error) {
	if endpoint != "" {
		return config.ParseEndpoint(endpoint)
	}
	switch site {
	case "", "cn":
		return &url.URL{Scheme: "https", Host: hostCN}, nil
	case "intl":
		return &url.URL{Scheme: "https", Host: hostIntl}, nil
	}
	return nil, invalid("no site \""+site+"\"", `site = "cn" or site = "intl"`)
}

// proxyTo is the proxy on the way to endpoint, nil if there is none. A loopback endpoint is never reached through one.
func proxyTo(endpoint *url.URL, proxy string) (*url.URL, error) {
	if proxy == "" {
		return nil, nil
	}
	u, err := config.ParseProxy(proxy)
	if err != nil || config.IsLoopback(endpoint.Hostname()) {
		return nil, err
	}
	return u, nil
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
