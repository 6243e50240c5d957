package cli

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"io"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/tcred/tcred/emulator"
)

// twoSites lets a config without endpoint reach both sites on this machine: a proxy that leads their host names to
// two emulators, which have certificates of an authority made up here. Only intl knows the sub-account, cn the root.
func twoSites(ts *testscript.TestScript, neg bool, _ []string) {
	w := script(ts, neg)
	hosts := []string{"sts.tencentcloudapi.com", "sts.intl.tencentcloudapi.com"}
	accounts := [][]emulator.Account{{w.root}, {w.sub}}
	cert, authority := certificate(ts, hosts)
	addresses := make(map[string]string)
	for i, host := range hosts {
		server := httptest.NewUnstartedServer(emulator.New(emulator.Options{Accounts: accounts[i]}))
		server.TLS = &tls.Config{Certificates: []tls.Certificate{cert}}
		server.StartTLS()
		ts.Defer(server.Close)
		addresses[host+":443"] = server.Listener.Addr().String()
	}
	proxy := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) { tunnel(rw, addresses[r.Host]) }))
	ts.Defer(proxy.Close)
	ts.Setenv("PROXY", proxy.URL)
	ts.Setenv("CA_FILE", ts.MkAbs("ca.pem"))
	ts.Check(os.WriteFile(ts.MkAbs("ca.pem"), authority, 0o600))
}

// tunnel answers CONNECT.
func tunnel(rw http.ResponseWriter, address string) {
	there, err := net.Dial("tcp", address)
	if err != nil {
		http.Error(rw, "no such host here", http.StatusBadGateway)
		return
	}
	defer there.Close()
	here, _, err := rw.(http.Hijacker).Hijack()
	if err != nil {
		return
	}
	defer here.Close()
	io.WriteString(here, "HTTP/1.1 200 OK\r\n\r\n")
	go io.Copy(there, here)
	io.Copy(here, there)
}

// certificate makes one for hosts that is its own authority.
func certificate(ts *testscript.TestScript, hosts []string) (tls.Certificate, []byte) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	ts.Check(err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "tcred tests"}, DNSNames: hosts, IsCA: true, BasicConstraintsValid: true,
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	ts.Check(err)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
}
