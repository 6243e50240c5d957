package sts

import (
	"crypto/tls"
	"crypto/x509"
	"net"
	"net/http"
	"net/url"
	"time"

	"github.com/tcred/tcred/api"
)

// The hosts of the two sites (the seed pages of GetCallerIdentity and GetFederationToken).
const (
	hostCN   = "sts.tencentcloudapi.com"
	hostIntl = "sts.intl.tencentcloudapi.com"
)

// newTransport has no proxy but the one given, and keeps no connection: calls are far apart, and a
// connection that outlived a laptop's sleep would only cost a timeout. Plain http goes past the proxy.
func newTransport(plain bool, proxy *url.URL, roots *x509.CertPool) *http.Transport {
	t := &http.Transport{
		DialContext:            (&net.Dialer{Timeout: dialTimeout}).DialContext,
		TLSClientConfig:        &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12},
		TLSHandshakeTimeout:    5 * time.Second,
		MaxResponseHeaderBytes: 64 << 10,
		DisableKeepAlives:      true,
	}
	if plain {
		t.DialContext = dialLoopback
	} else if proxy != nil {
		t.Proxy = http.ProxyURL(proxy)
	}
	return t
}

// endpoint is where STS is: where config says, else at the site's own host.
func (o Options) endpoint() (*url.URL, error) {
	if o.Endpoint != nil {
		return o.Endpoint, nil
	}
	switch o.Site {
	case "", "cn":
		return &url.URL{Scheme: "https", Host: hostCN}, nil
	case "intl":
		return &url.URL{Scheme: "https", Host: hostIntl}, nil
	}
	return nil, invalid("no site \""+o.Site+"\"", `site = "cn" or site = "intl"`)
}

func invalid(message, hint string) error {
	return &api.Error{Code: api.ConfigInvalid, Message: message, Hint: hint}
}
