package sts

import (
	"context"
	"encoding/pem"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tcred/tcred/api"
	"github.com/tcred/tcred/internal/say"
)

func TestAnEndpointIsHTTPSOrOnThisMachine(t *testing.T) {
	for endpoint, host := range map[string]string{
		"":                         "sts.tencentcloudapi.com",
		"https://sts.example.com":  "sts.example.com",
		"https://sts.example.com/": "sts.example.com", "https://10.0.0.1:8443": "10.0.0.1:8443",
		"http://127.0.0.1:8085": "127.0.0.1:8085", "http://127.9.9.9": "127.9.9.9", "http://[::1]:8085": "[::1]:8085",
		"http://localhost:8085": "localhost:8085",
	} {
		c, err := NewClient(Options{Endpoint: endpoint})
		if err != nil || c.Host() != host {
			t.Errorf("%q: %v", endpoint, err)
		}
	}
	for endpoint, says := range map[string]string{
		"http://sts.example.com":           "plain http goes to loopback only",
		"sts.example.com":                  "a URL of a scheme and a host",
		"https://u:canary@sts.example.com": "a URL of a scheme and a host",
	} {
		_, err := NewClient(Options{Endpoint: endpoint})
		if api.CodeOf(err) != api.ConfigInvalid || !strings.Contains(err.Error(), says) || strings.Contains(err.Error(), "canary") {
			t.Errorf("%q: %v", endpoint, err)
		}
	}
}

func TestAProxyIsAURLAndItsPasswordIsNotShown(t *testing.T) {
	_, err := NewClient(Options{Proxy: "ftp://u:canary@proxy.corp"})
	if api.CodeOf(err) != api.ConfigInvalid || !strings.Contains(err.Error(), "http, https or socks5") || strings.Contains(err.Error(), "canary") {
		t.Errorf("got %v", err)
	}
}

func TestACAFileThatIsNoneIsNamed(t *testing.T) {
	dir := t.TempDir()
	text := filepath.Join(dir, "text.pem")
	os.WriteFile(text, []byte("hello"), 0o600)
	for file, says := range map[string]string{filepath.Join(dir, "absent.pem"): "cannot be read", dir: "cannot be read", text: "holds no PEM certificate"} {
		_, err := NewClient(Options{CAFile: file})
		if api.CodeOf(err) != api.ConfigInvalid || !strings.Contains(err.Error(), file) || !strings.Contains(err.Error(), says) {
			t.Errorf("%s: %v", file, err)
		}
	}
}

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

func TestALoopbackEndpointIsNotReachedThroughTheProxy(t *testing.T) {
	c := newClient(t, Options{Endpoint: "http://127.0.0.1:8085", Proxy: "http://proxy.invalid:3128"})
	dialed := dials(c)
	federate(t, c, FederationRequest{})
	if len(*dialed) != 1 || (*dialed)[0] != "127.0.0.1:8085" {
		t.Errorf("dials %v", *dialed)
	}
}

// tlsServer is an STS behind a certificate nobody trusts, and a file that holds it.
func tlsServer(t *testing.T) (*httptest.Server, string) {
	t.Helper()
	server := httptest.NewUnstartedServer(failing("UnauthorizedOperation", ""))
	server.Config.ErrorLog = nil
	server.StartTLS()
	t.Cleanup(server.Close)
	file := filepath.Join(t.TempDir(), "ca.pem")
	block := &pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw}
	if err := os.WriteFile(file, pem.EncodeToMemory(block), 0o600); err != nil {
		t.Fatal(err)
	}
	return server, file
}

func TestACAFileIsTrustedAndWithoutItTheErrorSaysSo(t *testing.T) {
	server, file := tlsServer(t)
	_, err := federate(t, newClient(t, Options{Endpoint: server.URL}), FederationRequest{})
	e := api.AsError(err)
	if e.Code != api.Unreachable || !strings.Contains(e.Message, "the certificate of 127.0.0.1:") || !strings.Contains(e.Hint, "ca_file") {
		t.Errorf("without: %s", say.Text(e))
	}
	_, err = federate(t, newClient(t, Options{Endpoint: server.URL, CAFile: file}), FederationRequest{})
	if api.CodeOf(err) != api.STSPermission {
		t.Errorf("with: %v", err)
	}
}

func TestAServerThatSpeaksNoTLSIsNamedSo(t *testing.T) {
	server := httptest.NewServer(says("x"))
	defer server.Close()
	_, err := federate(t, newClient(t, Options{Endpoint: strings.Replace(server.URL, "http:", "https:", 1)}), FederationRequest{})
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
	server, file := tlsServer(t)
	proxy, asked := connectProxy(t, server.Listener.Addr().String(), http.StatusOK)
	// httptest's certificate is valid for example.com, a name that only the proxy can reach here.
	_, err := federate(t, newClient(t, Options{Endpoint: "https://example.com", Proxy: proxy, CAFile: file}), FederationRequest{})
	if api.CodeOf(err) != api.STSPermission || len(*asked) != 1 || (*asked)[0] != "CONNECT example.com:443" {
		t.Errorf("the proxy saw %v: %v", *asked, err)
	}
}

func TestAProxyThatRefusesIsNamedWithoutItsPassword(t *testing.T) {
	proxy, _ := connectProxy(t, "", http.StatusProxyAuthRequired)
	address := strings.TrimPrefix(proxy, "http://")
	_, err := federate(t, newClient(t, Options{Proxy: "http://user:canary@" + address}), FederationRequest{})
	want := "cannot reach sts.tencentcloudapi.com:443 through proxy " + address + " (Proxy Authentication Required)"
	if e := api.AsError(err); e.Message != want || !strings.Contains(e.Hint, "proxy in config.toml") {
		t.Errorf("got %s", say.Text(e))
	}
}
