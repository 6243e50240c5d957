// Asks for credentials with the official COS STS SDK for Go, unmodified. stdin: a JSON list of calls; stdout: a list
// of results, in that order. See cosCall and cosResult in cos_test.go.
package main

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"net/http"
	"os"

	sts "github.com/tencentyun/qcloud-cos-sts-sdk/go"
)

type call struct {
	Host, SecretID, SecretKey string
	CA                        string // in PEM; "" is plain http
	Policy                    sts.CredentialPolicy
}

type result struct {
	Code, RequestID, Token string
	ExpiredTime            int
}

func (c call) make() result {
	options := []sts.ClientOption{sts.Host(c.Host), sts.Scheme("http")}
	var client *http.Client
	if c.CA != "" {
		trusted := x509.NewCertPool()
		trusted.AppendCertsFromPEM([]byte(c.CA))
		client = &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: trusted}}}
		options[1] = sts.Scheme("https")
	}
	got, err := sts.NewClient(c.SecretID, c.SecretKey, client, options...).GetCredential(
		&sts.CredentialOptions{Region: "ap-guangzhou", DurationSeconds: 1800, Policy: &c.Policy})
	var refused *sts.CredentialError
	switch {
	case errors.As(err, &refused):
		return result{Code: refused.Code, RequestID: refused.RequestId}
	case err != nil:
		return result{Code: err.Error()}
	}
	return result{Token: got.Credentials.SessionToken, ExpiredTime: got.ExpiredTime}
}

func main() {
	var calls []call
	if err := json.NewDecoder(os.Stdin).Decode(&calls); err != nil {
		panic(err)
	}
	var results []result
	for _, c := range calls {
		results = append(results, c.make())
	}
	if err := json.NewEncoder(os.Stdout).Encode(results); err != nil {
		panic(err)
	}
}
