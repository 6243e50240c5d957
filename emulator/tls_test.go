package emulator

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
)

func TestCertificateIsForThisMachineAndSTSsNames(t *testing.T) {
	config, ca, err := ServerTLS("192.0.2.7", "sts.test")
	if err != nil {
		t.Fatal(err)
	}
	trusted := x509.NewCertPool()
	if !trusted.AppendCertsFromPEM(ca) {
		t.Fatal("the authority's certificate is no PEM")
	}
	leaf, err := x509.ParseCertificate(config.Certificates[0].Certificate[0])
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]bool{
		"127.0.0.1": true, "[::1]": true, "localhost": true, "sts.tencentcloudapi.com": true, "sts.intl.tencentcloudapi.com": true,
		"192.0.2.7": true, "sts.test": true, "127.0.0.2": false, "cam.tencentcloudapi.com": false, "evil.example": false,
	} {
		if _, err := leaf.Verify(x509.VerifyOptions{DNSName: name, Roots: trusted}); (err == nil) != want {
			t.Errorf("%s: %v", name, err)
		}
	}
	_, other, err := ServerTLS()
	if err != nil {
		t.Fatal(err)
	}
	others := x509.NewCertPool()
	others.AppendCertsFromPEM(other)
	if _, err := leaf.Verify(x509.VerifyOptions{Roots: others}); err == nil {
		t.Error("another start's authority vouches for it")
	}
}

// serveTLS is an emulator behind https, by [Serve] as the command runs it. ca is the authority's certificate.
func serveTLS(t *testing.T) (s served, ca []byte) {
	t.Helper()
	s.account = NewAccount(false)
	s.Emulator = New(Options{Accounts: []Account{s.account}})
	config, ca, err := ServerTLS()
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s.endpoint = l.Addr().String()
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- Serve(ctx, tls.NewListener(l, config), s.Emulator) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	return s, ca
}

func TestServeSpeaksTLS(t *testing.T) {
	s, ca := serveTLS(t)
	trusted := x509.NewCertPool()
	trusted.AppendCertsFromPEM(ca)
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: trusted}}}
	defer client.CloseIdleConnections()
	answer, err := client.Get("https://" + s.endpoint + AdminPath + "calls")
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	if body, err := io.ReadAll(answer.Body); err != nil || !strings.Contains(string(body), `"total":0`) {
		t.Errorf("got %s, %v", body, err)
	}
	if _, err := http.Get("https://" + s.endpoint + AdminPath + "calls"); err == nil {
		t.Error("a client that does not know the authority trusts it")
	}
}
