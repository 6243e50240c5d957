package emulator

import (
	"bytes"
	"crypto/tls"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"testing"
	"time"

	"github.com/tencentcloud/tencentcloud-sdk-go/tencentcloud/common"
	"github.com/tencentcloud/tencentcloud-sdk-go/tencentcloud/common/errors"
	"github.com/tencentcloud/tencentcloud-sdk-go/tencentcloud/common/profile"
	sts "github.com/tencentcloud/tencentcloud-sdk-go/tencentcloud/sts/v20180813"

	"github.com/tcred/tcred/credential"
)

// served is an emulator behind a real socket, with a sub-account's key. Its clock may be off, and whoever
// sits on the wire may change bodies and queries.
type served struct {
	*Emulator
	account  Account
	endpoint string // host:port
}

func serve(t *testing.T, clockOff time.Duration, tamper func([]byte) []byte) served {
	t.Helper()
	return serveOver(t, nil, clockOff, tamper)
}

// serveOver is serve over https with config, over http with none.
func serveOver(t *testing.T, config *tls.Config, clockOff time.Duration, tamper func([]byte) []byte) served {
	t.Helper()
	s := served{account: NewAccount(false)}
	s.Emulator = New(Options{Accounts: []Account{s.account}, Now: func() time.Time { return time.Now().Add(clockOff) }})
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if tamper != nil {
			body, err := io.ReadAll(r.Body)
			if err != nil {
				t.Error(err)
			}
			r.Body = io.NopCloser(bytes.NewReader(tamper(body)))
			r.URL.RawQuery = string(tamper([]byte(r.URL.RawQuery)))
		}
		s.ServeHTTP(w, r)
	}))
	server.Config.ErrorLog = log.New(io.Discard, "", 0) // clients that trust nobody are a test's
	if server.TLS = config; config != nil {
		server.StartTLS()
	} else {
		server.Start()
	}
	t.Cleanup(server.Close)
	s.endpoint = server.Listener.Addr().String()
	return s
}

var durationSent = regexp.MustCompile(`(DurationSeconds"?[:=])1800`)

// longer is what a thief on the wire would make of a request.
func longer(body []byte) []byte {
	return durationSent.ReplaceAll(body, []byte("${1}7200"))
}

// The methods that the official SDKs send by, and sign by: signature v3, and the two of v1.
var (
	methods     = []string{http.MethodPost, http.MethodGet}
	signMethods = []string{"TC3-HMAC-SHA256", "HmacSHA1", "HmacSHA256"}
)

// sdk is the official Go SDK, unmodified.
func (s served) sdk(t *testing.T, k key, method, signMethod string) *sts.Client {
	t.Helper()
	p := profile.NewClientProfile()
	p.SignMethod = signMethod
	p.HttpProfile.Scheme, p.HttpProfile.Endpoint, p.HttpProfile.ReqMethod = "HTTP", s.endpoint, method
	c, err := sts.NewClient(common.NewTokenCredential(k.id, k.secret.Reveal(), k.token.Reveal()), "ap-guangzhou", p)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func tokenRequest() *sts.GetFederationTokenRequest {
	r := sts.NewGetFederationTokenRequest()
	r.Name = common.StringPtr("upload-client")
	r.Policy = common.StringPtr(url.QueryEscape(allowAll))
	r.DurationSeconds = common.Uint64Ptr(1800)
	return r
}

// bySDKs runs test once for each way to sign and send.
func bySDKs(t *testing.T, test func(t *testing.T, method, signMethod string)) {
	for _, signMethod := range signMethods {
		for _, method := range methods {
			t.Run(signMethod+" "+method, func(t *testing.T) { test(t, method, signMethod) })
		}
	}
}

func TestOfficialGoSDKGetsTokensAndIdentities(t *testing.T) {
	bySDKs(t, func(t *testing.T, method, signMethod string) {
		s := serve(t, 0, nil)
		got, err := s.sdk(t, keyOf(s.account), method, signMethod).GetFederationToken(tokenRequest())
		if err != nil {
			t.Fatal(err)
		}
		c := got.Response.Credentials
		for _, who := range []struct {
			key    key
			userID string
		}{
			{keyOf(s.account), s.account.UIN},
			{
				key{*c.TmpSecretId, credential.Secret(*c.TmpSecretKey), credential.Secret(*c.Token)},
				s.account.UIN + ":upload-client",
			},
		} {
			got, err := s.sdk(t, who.key, method, signMethod).GetCallerIdentity(sts.NewGetCallerIdentityRequest())
			if err != nil {
				t.Fatal(err)
			}
			if *got.Response.UserId != who.userID || *got.Response.AccountId != s.account.AccountID {
				t.Errorf("it is %s of %s, want %s", *got.Response.UserId, *got.Response.AccountId, who.userID)
			}
		}
	})
}

func TestOfficialGoSDKIsRefused(t *testing.T) {
	bySDKs(t, func(t *testing.T, method, signMethod string) {
		for _, c := range refusals {
			t.Run(c.name, func(t *testing.T) {
				s := serve(t, c.clockOff, c.tamper)
				_, err := s.sdk(t, c.key(s), method, signMethod).GetFederationToken(tokenRequest())
				refused, ok := err.(*errors.TencentCloudSDKError)
				if !ok || refused.Code != c.code || refused.RequestId == "" {
					t.Errorf("got %v, want %s", err, c.code)
				}
			})
		}
	})
}

// refusals are what every SDK's GetFederationToken must meet.
var refusals = []struct {
	name     string
	key      func(served) key
	clockOff time.Duration // of the emulator
	tamper   func([]byte) []byte
	code     string
}{
	{"an unknown key", func(served) key { return keyOf(NewAccount(false)) }, 0, nil, "AuthFailure.SecretIdNotFound"},
	{"a wrong key", wrongKey, 0, nil, "AuthFailure.SignatureFailure"},
	{"a tampered body", ownKey, 0, longer, "AuthFailure.SignatureFailure"},
	{"a clock 10 minutes behind", ownKey, 10 * time.Minute, nil, "AuthFailure.SignatureExpire"},
	{"a clock 10 minutes ahead", ownKey, -10 * time.Minute, nil, "AuthFailure.SignatureExpire"},
	{"a temporary key", func(s served) key {
		return keyOfCredential(s.SeedRole(s.account, "4611686018427410000", "ci", time.Hour))
	}, 0, nil, "FailedOperation.TempKeyNotAllowed"},
}

func ownKey(s served) key { return keyOf(s.account) }

func wrongKey(s served) key {
	_, other := newKey()
	return key{id: s.account.SecretID, secret: other}
}
