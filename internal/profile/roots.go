package profile

import (
	"crypto/x509"
	"os"

	"github.com/tcred/tcred/api"
)

// loadRoots is replaced by what config reads.
func loadRoots(file string) (*x509.CertPool, error) {
	if file == "" {
		return nil, nil
	}
	pem, err := os.ReadFile(file)
	if err != nil {
		return nil, &api.Error{Code: api.ConfigInvalid, Message: "ca_file " + file + " cannot be read"}
	}
	roots, err := x509.SystemCertPool()
	if err != nil {
		roots = x509.NewCertPool()
	}
	roots.AppendCertsFromPEM(pem)
	return roots, nil
}
