package sts

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/tcred/tcred/api"
	"github.com/tcred/tcred/internal/say"
)

// dials makes c record whom it dials and go no further.
func dials(c *Client) *[]string {
	var dialed []string
	c.transport.(*http.Transport).DialContext = func(_ context.Context, _, address string) (net.Conn, error) {
		dialed = append(dialed, address)
		return nil, errors.New("stopped by the test")
	}
	return &dialed
}

func TestEachSiteHasItsHostAndTheEnvironmentsProxyIsNotUsed(t *testing.T) {
	for _, name := range []string{"HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY", "https_proxy"} {
		t.Setenv(name, "http://proxy.invalid:3128")
	}
	t.Setenv("NO_PROXY", "")
	control, _ := http.NewRequest("POST", "https://"+hostCN, nil)
	if u, _ := http.ProxyFromEnvironment(control); u == nil {
		t.Fatal("the environment names no proxy, so this test shows nothing")
	}
	for site, want := range map[string]string{"": hostCN, "cn": hostCN, "intl": hostIntl} {
		c := newClient(t, Options{Site: site})
		dialed := dials(c)
		_, err := federate(t, c, FederationRequest{})
		if api.CodeOf(err) != api.Unreachable || len(*dialed) != 1 || (*dialed)[0] != want+":443" {
			t.Errorf("site %q dials %v: %v", site, *dialed, err)
		}
	}
	if _, err := NewClient(Options{Site: "mars"}); api.CodeOf(err) != api.ConfigInvalid {
		t.Errorf("site mars: %v", err)
	}
}

// tlsServer is an STS behind a certificate nobody trusts, and the authorities of who trusts it.
func tlsServer(t *testing.T) (*httptest.Server, *x509.CertPool) {
	t.Helper()
	server := httptest.NewUnstartedServer(failing("UnauthorizedOperation", ""))
	server.Config.ErrorLog = nil
	server.StartTLS()
	t.Cleanup(server.Close)
	roots := x509.NewCertPool()
	roots.AddCert(server.Certificate())
	return server, roots
}

func TestAGivenAuthorityIsTrustedAndWithoutItTheErrorSaysSo(t *testing.T) {
	server, roots := tlsServer(t)
	_, err := federate(t, newClient(t, Options{Endpoint: mustURL(t, server.URL)}), FederationRequest{})
	e := api.AsError(err)
	if e.Code != api.Unreachable || !strings.Contains(e.Message, "the certificate of 127.0.0.1:") || !strings.Contains(e.Hint, "ca_file") {
		t.Errorf("without: %s", say.Text(e))
	}
	_, err = federate(t, newClient(t, Options{Endpoint: mustURL(t, server.URL), Roots: roots}), FederationRequest{})
	if api.CodeOf(err) != api.STSPermission {
		t.Errorf("with: %v", err)
	}
}

// A server that knows no later version than TLS 1.1 gets no request.
func TestOldVersionsOfTLSAreRefused(t *testing.T) {
	server := httptest.NewUnstartedServer(failing("UnauthorizedOperation", ""))
	server.Config.ErrorLog = log.New(io.Discard, "", 0) // of the handshake that is to fail
	server.TLS = &tls.Config{MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS11}
	server.StartTLS()
	defer server.Close()
	roots := x509.NewCertPool()
	roots.AddCert(server.Certificate())
	_, err := federate(t, newClient(t, Options{Endpoint: mustURL(t, server.URL), Roots: roots}), FederationRequest{})
	if api.CodeOf(err) != api.Unreachable || !strings.Contains(err.Error(), "protocol version") {
		t.Errorf("got %v", err)
	}
}

func TestAServerThatSpeaksNoTLSIsNamedSo(t *testing.T) {
	server := httptest.NewServer(says("x"))
	defer server.Close()
	_, err := federate(t, newClient(t, Options{Endpoint: mustURL(t, strings.Replace(server.URL, "http:", "https:", 1))}), FederationRequest{})
	if e := api.AsError(err); e.Code != api.Unreachable || !strings.Contains(say.Text(e), "TLS") && !strings.Contains(say.Text(e), "HTTP response") {
		t.Errorf("got %s", say.Text(e))
	}
}

// connectProxy sends every CONNECT to target and notes what it was asked for.
func connectProxy(t *testing.T, target string, status int) (proxy string, asked *[]string) {
	t.Helper()
	var log []string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		log = append(log, r.Method+" "+r.Host)
		if status != http.StatusOK {
			w.WriteHeader(status)
			return
		}
		up, err := net.Dial("tcp", target)
		if err != nil {
			t.Error(err)
			return
		}
		defer up.Close()
		down, _, err := http.NewResponseController(w).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		defer down.Close()
		io.WriteString(down, "HTTP/1.1 200 OK\r\n\r\n")
		go io.Copy(up, down)
		io.Copy(down, up)
	}))
	t.Cleanup(server.Close)
	return server.URL, &log
}

func TestTheConfiguredProxyIsUsed(t *testing.T) {
	server, roots := tlsServer(t)
	proxy, asked := connectProxy(t, server.Listener.Addr().String(), http.StatusOK)
	// httptest's certificate is valid for example.com, a name that only the proxy can reach here.
	_, err := federate(t, newClient(t, Options{Endpoint: mustURL(t, "https://example.com"), Proxy: mustURL(t, proxy), Roots: roots}), FederationRequest{})
	if api.CodeOf(err) != api.STSPermission || len(*asked) != 1 || (*asked)[0] != "CONNECT example.com:443" {
		t.Errorf("the proxy saw %v: %v", *asked, err)
	}
}

func TestAProxyThatRefusesIsNamedWithoutItsPassword(t *testing.T) {
	proxy, _ := connectProxy(t, "", http.StatusProxyAuthRequired)
	address := strings.TrimPrefix(proxy, "http://")
	_, err := federate(t, newClient(t, Options{Proxy: mustURL(t, "http://user:canary@"+address)}), FederationRequest{})
	want := "cannot reach sts.tencentcloudapi.com:443 through proxy " + address + " (Proxy Authentication Required)"
	if e := api.AsError(err); e.Message != want || !strings.Contains(e.Hint, "proxy in config.toml") {
		t.Errorf("got %s", say.Text(e))
	}
}
