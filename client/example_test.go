//go:build unix

package client_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/tencentcloud/tencentcloud-sdk-go/tencentcloud/common/profile"
	sts "github.com/tencentcloud/tencentcloud-sdk-go/tencentcloud/sts/v20180813"

	"github.com/tcred/tcred/api"
	"github.com/tcred/tcred/client"
	"github.com/tcred/tcred/credential"
	"github.com/tcred/tcred/emulator"
)

// upload is the credential that the examples' daemon has for the profile "upload".
var upload = credential.Credential{
	SecretID: "AKIDexample", SecretKey: "key", Token: "token",
	Issued: time.Now(), Expires: time.Now().Add(2 * time.Hour),
}

// daemon stands in for tcred's, at the usual place, with one credential for the profile "upload". What it returns
// ends it.
func daemon(c credential.Credential) (end func()) {
	dir, err := os.MkdirTemp("", "t")
	if err != nil {
		panic(err)
	}
	for name, path := range map[string]string{api.EnvSocket: "s", api.EnvConfig: "config.toml"} {
		os.Setenv(name, filepath.Join(dir, path))
	}
	l, err := net.Listen("unix", os.Getenv(api.EnvSocket))
	if err != nil {
		panic(err)
	}
	server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set(api.HeaderVersion, api.Version)
		format, _ := credential.ParseFormat(r.URL.Query().Get(api.ParamFormat))
		if text, err := c.Encode(format); err == nil && r.URL.Path == api.PathCredentials+"upload" {
			w.Write(text)
			return
		}
		w.Header().Set("Content-Type", api.TypeProblem)
		w.WriteHeader(api.NoProfile.Status())
		json.NewEncoder(w).Encode(api.ProblemOf(&api.Error{
			Code: api.NoProfile, Message: `no profile "uplaod"; did you mean "upload"?`, Hint: "tcred list",
		}))
	})}
	go server.Serve(l)
	return func() {
		server.Close()
		os.RemoveAll(dir)
		os.Unsetenv(api.EnvSocket)
		os.Unsetenv(api.EnvConfig)
	}
}

// A credential that lives at least 20 minutes, from the daemon that runs.
func Example() {
	defer daemon(upload)() // stands in for tcred's own

	ctx := context.Background()
	var c client.Client
	cred, err := c.Credential(ctx, "upload", 20*time.Minute)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(cred.SecretID, cred.SecretKey, cred.Token) // secrets print as such only through Reveal
	// Output: AKIDexample [redacted] [redacted]
}

// Errors tell a program what happened, and a person what to do.
func Example_errors() {
	defer daemon(upload)() // stands in for tcred's own

	var c client.Client
	_, err := c.Credential(context.Background(), "uplaod", 0)
	if e, ok := errors.AsType[*api.Error](err); ok {
		fmt.Println("error:", e)
		fmt.Println("hint:", e.Hint)
		fmt.Println(e.Code == api.NoProfile, e.Retryable())
	}
	// Output:
	// error: no profile "uplaod"; did you mean "upload"?
	// hint: tcred list
	// true false
}

// The text that a tool reads, in its own format.
func ExampleClient_Get() {
	defer daemon(upload)() // stands in for tcred's own

	var c client.Client
	text, err := c.Get(context.Background(), "upload", client.Options{Format: credential.TCCLI})
	fmt.Print(string(text), err)
	// Output:
	// {"secretId":"AKIDexample","secretKey":"key","token":"token"}
	// <nil>
}

// A program that may be the first to ask names the tcred to start.
func ExampleClient_binary() {
	defer daemon(upload)() // runs already, so none is started

	c := client.Client{Binary: "/usr/local/bin/tcred"}
	cred, err := c.Credential(context.Background(), "upload", 0)
	fmt.Println(cred.SecretID, err)
	// Output: AKIDexample <nil>
}

// tencentcloud-sdk-go takes the value as its credential and asks it at each request.
func ExampleTencent() {
	account := emulator.Account{AccountID: "100000000001", UIN: "100000000001"}
	cloud := emulator.New(emulator.Options{})
	server := httptest.NewServer(cloud) // stands in for Tencent Cloud
	defer server.Close()
	defer daemon(cloud.SeedRole(account, "4611686018427410000", "ci", time.Hour))() // and this for tcred's daemon

	settings := profile.NewClientProfile()
	settings.HttpProfile.Scheme, settings.HttpProfile.Endpoint = "HTTP", strings.TrimPrefix(server.URL, "http://")

	upload := client.Tencent("upload")
	c, err := sts.NewClient(upload, "ap-guangzhou", settings)
	if err != nil {
		fmt.Println(err)
		return
	}
	who, err := c.GetCallerIdentity(sts.NewGetCallerIdentityRequest())
	if err != nil {
		fmt.Println(err, upload.Err()) // the second says why there is no credential, if that is the cause
		return
	}
	fmt.Println(*who.Response.Arn)
	// Output: qcs::sts:100000000001:assumed-role/4611686018427410000
}

// AuthorizationTransport is what cos-go-sdk calls cos.AuthorizationTransport, in short: it signs with three values, and
// SetCredential sets them together.
type AuthorizationTransport struct{ secretID, secretKey, token string }

func (t *AuthorizationTransport) SetCredential(secretID, secretKey, token string) {
	t.secretID, t.secretKey, t.token = secretID, secretKey, token
}

func (t *AuthorizationTransport) RoundTrip(r *http.Request) (*http.Response, error) {
	fmt.Println(r.Method, r.URL.Path, "signed by", t.secretID, t.secretKey, t.token)
	return &http.Response{StatusCode: http.StatusOK, Body: http.NoBody, Request: r}, nil
}

// With cos-go-sdk, whose cos.AuthorizationTransport the one of this example stands in for:
//
//	auth := &cos.AuthorizationTransport{}
//	c := cos.NewClient(bucket, &http.Client{Transport: client.Tencent("upload").Transport(auth)})
func ExampleSDKCredential_Transport() {
	defer daemon(upload)() // stands in for tcred's own

	auth := &AuthorizationTransport{}
	web := &http.Client{Transport: client.Tencent("upload").Transport(auth)}

	answer, err := web.Get("https://examplebucket-1250000000.cos.ap-guangzhou.myqcloud.com/photo.jpg")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer answer.Body.Close()
	// Output: GET /photo.jpg signed by AKIDexample key token
}
