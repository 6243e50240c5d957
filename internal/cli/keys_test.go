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
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/tcred/tcred/emulator"
	"github.com/tcred/tcred/internal/human"
)

func TestPasteTakesAwayWhatCopyingAdds(t *testing.T) {
	const want = "AKIDz8krbsJ5yKBZQpn74WFkmLPx3EXAMPLE"
	for _, text := range []string{
		want, " " + want + "\t\r\n", `"` + want + `",`, "“" + want + "”", "\ufeff" + want + "\u200b", "\u00a0" + want + "\u3000", "`" + want + "`;",
		"\x1b" + want,
	} {
		if got := paste(text); got != want {
			t.Errorf("%q became %q", text, got)
		}
	}
}

func TestNewKeyRefusesWhatCannotBeAKeyAndQuotesNothingOfIt(t *testing.T) {
	const id, secret = "AKIDz8krbsJ5yKBZQpn74WFkmLPx3EXAMPLE", "Gu5t9xGARNpq86cd98joQYCN3EXAMPLE"
	for name, c := range map[string]struct{ id, secret, want string }{
		"swapped":               {secret, id, "swapped"},
		"swapped, a short one":  {"other", id, "swapped"},
		"the id twice":          {id, id, "is a SecretId"},
		"the secret twice":      {secret, secret, "looks like a SecretKey"},
		"no id":                 {" ", secret, "SecretId is empty"},
		"no secret":             {id, "''", "SecretKey is empty"},
		"temporary":             {id + "_-2p9q5oWfXyZzZzZzZzZzZzZzZz", secret, "temporary"},
		"both in one line":      {id + " " + secret, secret, "temporary"}, // too long for a permanent one
		"two words":             {id, secret[:10] + " " + secret[10:], "a character in it"},
		"a full-width letter":   {id, "Ａ" + secret, "a character in it"},
		"a colon":               {id, secret[:10] + ":" + secret[10:], "a character in it"},
		"too long":              {id, strings.Repeat(secret, 40), "is too long"},
		"an international id":   {"IKID" + id[4:], secret, ""},
		"as the console has it": {id, secret, ""},
		"an id of another STS":  {"test", secret, ""},
	} {
		k, err := newKey(c.id, c.secret)
		if c.want == "" {
			if err != nil || k.ID != c.id || k.Secret.Reveal() != c.secret {
				t.Errorf("%s: %v, %v", name, k, err)
			}
			continue
		}
		if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), id[4:]) || strings.Contains(err.Error(), secret) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func FuzzNewKeyIsCleanAndNeverRepeatsWhatItRefuses(f *testing.F) {
	f.Add("AKIDz8krbsJ5yKBZQpn74WFkmLPx3EXAMPLE", "Gu5t9xGARNpq86cd98joQYCN3EXAMPLE")
	f.Add("Gu5t9xGARNpq86cd98joQYCN3EXAMPLE", "AKIDz8krbsJ5yKBZQpn74WFkmLPx3EXAMPLE")
	f.Add("\ufeffAKID\n", "' '")
	f.Fuzz(func(t *testing.T, id, secret string) {
		k, err := newKey(id, secret)
		if err == nil {
			if !human.Visible(k.ID+k.Secret.Reveal()) || strings.Contains(k.ID+k.Secret.Reveal(), ":") ||
				k.ID == "" || k.Secret == "" || looksLikeID(k.Secret.Reveal()) || temporary(k.ID) {
				t.Fatalf("%q, %q became a key", id, secret)
			}
			return
		}
		for _, part := range []string{id, secret} {
			if len(part) >= 12 && strings.Contains(err.Error(), part) {
				t.Fatalf("%q, %q: %v", id, secret, err)
			}
		}
	})
}

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
