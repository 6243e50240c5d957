// Package sts makes the two calls of Tencent Cloud's Security Token Service that tcred lives on,
// GetFederationToken and GetCallerIdentity, and turns every way they can fail into words.
//
// The official SDK signs and sends. What comes back is bounded and checked before the SDK sees it,
// because the SDK quotes answers it cannot read, and those may hold a token.
package sts

import (
	"context"
	"crypto/x509"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/tencentcloud/tencentcloud-sdk-go/tencentcloud/common"
	"github.com/tencentcloud/tencentcloud-sdk-go/tencentcloud/common/profile"
	sdk "github.com/tencentcloud/tencentcloud-sdk-go/tencentcloud/sts/v20180813"

	"github.com/tcred/tcred/api"
	"github.com/tcred/tcred/credential"
)

// callTimeout bounds one call, from dialing to the last byte.
const callTimeout = 10 * time.Second

// Options say where STS is and how to get there.
type Options struct {
	Site     string           // "cn", "intl"; "" is "cn"
	Endpoint *url.URL         // wins over Site, if not nil: https, or plain http to a loopback address
	Region   string           // sent along, such as "ap-guangzhou"; the pages require one
	Proxy    *url.URL         // an http, https or socks5 proxy for https; nil is none, whatever the environment says
	Roots    *x509.CertPool   // the authorities that are trusted; nil is the system's
	Language string           // of STS's own messages: "zh"; all else is English
	Now      func() time.Time // the wall clock; nil is time.Now
}

// Client calls STS. It keeps no key and no connection between calls.
type Client struct {
	endpoint  *url.URL
	proxy     string // for messages: without user and password
	region    string
	language  string
	now       func() time.Time
	transport http.RoundTripper
}

// NewClient does not connect. The one error, of the code api.ConfigInvalid, is a site that there is not.
func NewClient(o Options) (*Client, error) {
	endpoint, err := o.endpoint()
	if err != nil {
		return nil, err
	}
	plain := endpoint.Scheme == "http"
	c := &Client{
		endpoint: endpoint, region: o.Region, language: "en-US", now: o.Now,
		transport: newTransport(plain, o.Proxy, o.Roots),
	}
	if o.Proxy != nil && !plain {
		c.proxy = o.Proxy.Host
	}
	if o.Language == "zh" {
		c.language = "zh-CN"
	}
	if c.now == nil {
		c.now = time.Now
	}
	return c, nil
}

// Region is what each call says of where it comes from.
func (c *Client) Region() string { return c.region }

// Host is STS's host[:port], for messages.
func (c *Client) Host() string { return c.endpoint.Host }

// FederationRequest is what GetFederationToken is asked for.
type FederationRequest struct {
	Name     string        // the federated user's name
	Policy   string        // JSON, not encoded; it should be compact
	Duration time.Duration // whole seconds, at least one
	Subject                // whom the credential is for: errors say so
}

// FederationToken trades a permanent key for a temporary credential in one call, with no retries.
// Its life is never longer than asked for. Errors are *api.Error.
func (c *Client) FederationToken(
	ctx context.Context, secretID string, secretKey credential.Secret, r FederationRequest,
) (credential.Credential, error) {
	if r.Duration < time.Second {
		return credential.Credential{}, &api.Error{Code: api.STSRequest, Message: "a credential cannot live for " + r.Duration.String()}
	}
	call := c.call("GetFederationToken", secretID, r.Subject)
	sent := url.QueryEscape(r.Policy) // once: the SDK sends it as it is
	call.Duration, call.Policy = r.Duration, [2]int{len(r.Policy), len(sent)}
	req := sdk.NewGetFederationTokenRequest()
	req.Name = common.StringPtr(r.Name)
	req.Policy = common.StringPtr(sent)
	req.DurationSeconds = common.Uint64Ptr(uint64(r.Duration / time.Second))

	x := c.exchange()
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	asked := c.now()
	resp, err := c.sdk(common.NewCredential(secretID, secretKey.Reveal()), x).GetFederationTokenWithContext(ctx, req)
	if err != nil {
		return credential.Credential{}, x.explain(err, call)
	}
	return x.credential(resp.Response, asked, r.Duration)
}

// CallerIdentity says who a key or a credential is; token is "" for permanent keys. STS allows 20 such
// calls a second, so remember the answer. Errors are *api.Error.
func (c *Client) CallerIdentity(ctx context.Context, secretID string, secretKey, token credential.Secret) (api.Identity, error) {
	call := c.call("GetCallerIdentity", secretID, Subject{})
	call.Token = token != ""
	x := c.exchange()
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	cred := common.NewTokenCredential(secretID, secretKey.Reveal(), token.Reveal())
	resp, err := c.sdk(cred, x).GetCallerIdentityWithContext(ctx, sdk.NewGetCallerIdentityRequest())
	if err != nil {
		return api.Identity{}, x.explain(err, call)
	}
	return x.identity(resp.Response)
}

func (c *Client) call(action, secretID string, s Subject) call {
	return call{
		Action: action, Host: c.Host(), Plain: c.endpoint.Scheme == "http", Proxy: c.proxy, Region: c.region, SecretID: secretID, Subject: s,
	}
}

// sdk is the official client for one call. Its retries stay off (they sleep without looking at the
// context), so do its debug output (it prints secrets) and its region breaker (it moves to another site).
func (c *Client) sdk(cred common.CredentialIface, x *exchange) *sdk.Client {
	p := profile.NewClientProfile()
	p.Language = c.language
	p.DisableRegionBreaker = true
	p.HttpProfile.Scheme = c.endpoint.Scheme
	p.HttpProfile.Endpoint = c.endpoint.Host
	p.HttpProfile.ReqTimeout = int(callTimeout / time.Second)
	client := &sdk.Client{}
	client.Init(c.region).WithCredential(cred).WithProfile(p).WithHttpTransport(x).WithRequestClient(requestClient())
	return client
}

// requestClient is how tcred names itself in X-TC-RequestClient: "tcred-" and the version, in the letters the SDK lets
// through.
func requestClient() string {
	return "tcred-" + strings.Map(func(r rune) rune {
		switch {
		case 'a' <= r && r <= 'z', 'A' <= r && r <= 'Z', '0' <= r && r <= '9', r == '.', r == '-':
			return r
		}
		return '_'
	}, api.Version)
}
