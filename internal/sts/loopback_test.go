package sts

import (
	"net"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/tcred/tcred/api"
)

// A name may lead to ::1, where another user listens, while the emulator listens on 127.0.0.1.
func TestLocalhostIsOneAddressAndNoOtherNameIsDialled(t *testing.T) {
	server := httptest.NewServer(failing("UnauthorizedOperation", ""))
	defer server.Close()
	_, port, _ := net.SplitHostPort(server.Listener.Addr().String())
	_, err := federate(t, newClient(t, Options{Endpoint: mustURL(t, "http://localhost:"+port)}), FederationRequest{})
	if api.CodeOf(err) != api.STSPermission {
		t.Errorf("localhost: %v", err)
	}
	for _, host := range []string{"localhost.", "LOCALHOST", "ip6-localhost", "10.0.0.1", "example.com", "0.0.0.0"} {
		_, err := federate(t, newClient(t, Options{Endpoint: mustURL(t, "http://"+host+":"+port)}), FederationRequest{})
		if api.CodeOf(err) != api.ConfigInvalid || !strings.Contains(err.Error(), "plain http goes to loopback only") {
			t.Errorf("%s: %v", host, err)
		}
	}
}

// A proxy is another machine: what is meant for this one, in plain, does not go there.
func TestPlainHTTPGoesPastTheProxy(t *testing.T) {
	server := httptest.NewServer(failing("UnauthorizedOperation", ""))
	defer server.Close()
	proxy, asked := connectProxy(t, server.Listener.Addr().String(), 200)
	c := newClient(t, Options{Endpoint: mustURL(t, server.URL), Proxy: mustURL(t, proxy)})
	if _, err := federate(t, c, FederationRequest{}); api.CodeOf(err) != api.STSPermission || len(*asked) != 0 {
		t.Errorf("the proxy saw %v: %v", *asked, err)
	}
}
