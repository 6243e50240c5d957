package emulator

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"time"
)

// AuthorityName is the common name of the authorities that [ServerTLS] makes.
const AuthorityName = "tcred emulator, throwaway authority"

const certificateLife = 365 * 24 * time.Hour

// tlsHosts are what a certificate is for in any case: this machine, and STS's own names, for tests that lead them here.
var tlsHosts = []string{"127.0.0.1", "::1", "localhost", stsHost, "sts.intl.tencentcloudapi.com"}

// ServerTLS makes a certificate for 127.0.0.1, ::1, localhost, the hosts of STS's two sites, and what is in more (names
// and IP addresses), by an authority made for it alone. It returns what a server needs and the authority's certificate
// in PEM, for clients to trust. Both are good for a year. The authority's key is in memory only and thrown away on
// return, so that it never signs anything else.
func ServerTLS(more ...string) (*tls.Config, []byte, error) {
	authorityKey, key, err := twoKeys()
	if err != nil {
		return nil, nil, err
	}
	now := time.Now()
	authority := &x509.Certificate{
		SerialNumber: big.NewInt(now.UnixNano()), Subject: pkix.Name{CommonName: AuthorityName},
		NotBefore: now.Add(-time.Hour), NotAfter: now.Add(certificateLife), // clocks differ
		IsCA: true, BasicConstraintsValid: true, MaxPathLenZero: true, KeyUsage: x509.KeyUsageCertSign,
	}
	authorityDER, err := x509.CreateCertificate(rand.Reader, authority, authority, authorityKey.Public(), authorityKey)
	if err != nil {
		return nil, nil, fmt.Errorf("making the emulator's authority: %w", err)
	}
	if authority, err = x509.ParseCertificate(authorityDER); err != nil { // with the key id that the other names
		return nil, nil, fmt.Errorf("reading the emulator's authority: %w", err)
	}
	server := &x509.Certificate{
		SerialNumber: big.NewInt(now.UnixNano() + 1), Subject: pkix.Name{CommonName: "tcred emulator"},
		NotBefore: authority.NotBefore, NotAfter: authority.NotAfter,
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	for _, host := range append(more, tlsHosts...) {
		if ip := net.ParseIP(host); ip != nil {
			server.IPAddresses = append(server.IPAddresses, ip)
		} else {
			server.DNSNames = append(server.DNSNames, host)
		}
	}
	der, err := x509.CreateCertificate(rand.Reader, server, authority, key.Public(), authorityKey)
	if err != nil {
		return nil, nil, fmt.Errorf("making the emulator's certificate: %w", err)
	}
	own := tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
	config := &tls.Config{Certificates: []tls.Certificate{own}, MinVersion: tls.VersionTLS12}
	return config, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: authorityDER}), nil
}

// twoKeys are the authority's and the server's.
func twoKeys() (authority, server *ecdsa.PrivateKey, err error) {
	if authority, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader); err == nil {
		server, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	}
	if err != nil {
		return nil, nil, fmt.Errorf("making the emulator's keys: %w", err)
	}
	return authority, server, nil
}
