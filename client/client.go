// Package client asks the tcred daemon from Go:
//
//	c := client.New("")
//	c.Start = true
//	cred, err := c.Credential(ctx, "upload", 20*time.Minute)
//
// Every error is an [*api.Error], whose code tells what happened and whose hint what to do about it.
package client

import (
	"context"
	"net/http"
	"net/url"
	"sync/atomic"
	"time"

	"github.com/tcred/tcred/api"
	"github.com/tcred/tcred/credential"
)

// unlockTimeout is how long Unlock waits where its context has no deadline: opening a keystore can take a
// person's answer. Every other call waits for api.ClientTimeout then.
const unlockTimeout = 30 * time.Second

// Client is a client of one daemon. It may be used from many goroutines.
type Client struct {
	// Start makes a call start the daemon where none listens: tcred beside this program's own binary.
	Start bool

	path    string
	http    *http.Client
	version atomic.Pointer[string] // of the daemon, by its last answer; another than ours explains those that make no sense
}

// New returns a client of the daemon that listens at path; "" is place.Socket(), looked up at each call.
func New(path string) *Client {
	c := &Client{path: path}
	c.http = &http.Client{
		Transport: &http.Transport{
			DialContext:            c.dial,
			DisableKeepAlives:      true, // a connection costs microseconds; a stale one costs a failed call
			DisableCompression:     true,
			MaxResponseHeaderBytes: api.MaxHeader,
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	return c
}

// Options say what credential Get asks for.
type Options struct {
	Format credential.Format // "" is credential.Process
	MinTTL time.Duration     // the credential lives at least so long, or it is an error; 0 leaves it to the daemon
}

// Get returns the text of a credential, exactly as the format prints it.
func (c *Client) Get(ctx context.Context, profile string, o Options) ([]byte, error) {
	query := url.Values{}
	if o.Format != "" {
		query.Set(api.ParamFormat, string(o.Format))
	}
	if o.MinTTL != 0 {
		query.Set(api.ParamMinTTL, o.MinTTL.String())
	}
	target, err := ofProfile(api.PathCredentials, profile, "")
	if err != nil {
		return nil, err
	}
	if len(query) > 0 {
		target += "?" + query.Encode()
	}
	body, err := c.do(ctx, http.MethodGet, target, nil)
	if err == nil && len(body) == 0 {
		return nil, c.foreign("an empty credential", nil)
	}
	return body, err
}

// Credential returns a credential that lives at least minTTL; 0 leaves that to the daemon.
func (c *Client) Credential(ctx context.Context, profile string, minTTL time.Duration) (credential.Credential, error) {
	text, err := c.Get(ctx, profile, Options{Format: credential.COS, MinTTL: minTTL})
	if err != nil {
		return credential.Credential{}, err
	}
	cred, err := credential.DecodeCOS(text)
	if err != nil {
		return credential.Credential{}, c.foreign("no credential", err)
	}
	return cred, nil
}

// Refresh makes the daemon get a new credential for profile, whatever life the old one has left.
func (c *Client) Refresh(ctx context.Context, profile string) (api.ProfileStatus, error) {
	target, err := ofProfile(api.PathCredentials, profile, api.SuffixRefresh)
	if err != nil {
		return api.ProfileStatus{}, err
	}
	return ask[api.ProfileStatus](ctx, c, http.MethodPost, target)
}

// Clear makes the daemon drop the cached credentials of profile, or all with "". They stay valid at Tencent Cloud.
func (c *Client) Clear(ctx context.Context, profile string) (api.Cleared, error) {
	target, err := api.PathAll, error(nil)
	if profile != "" {
		target, err = ofProfile(api.PathCredentials, profile, "")
	}
	if err != nil {
		return api.Cleared{}, err
	}
	return ask[api.Cleared](ctx, c, http.MethodDelete, target)
}

// Identity returns who Tencent Cloud says profile's credential is.
func (c *Client) Identity(ctx context.Context, profile string) (api.Identity, error) {
	target, err := ofProfile(api.PathIdentity, profile, "")
	if err != nil {
		return api.Identity{}, err
	}
	return ask[api.Identity](ctx, c, http.MethodGet, target)
}

// Status returns what the daemon knows of itself and its profiles.
func (c *Client) Status(ctx context.Context) (api.Status, error) {
	return ask[api.Status](ctx, c, http.MethodGet, api.PathStatus)
}

// Reload makes the daemon read its config now.
func (c *Client) Reload(ctx context.Context) error {
	_, err := c.do(ctx, http.MethodPost, api.PathReload, nil)
	return err
}

// Unlock opens the daemon's keystore for that long; 0 is until the daemon ends. An empty passphrase leaves it to the
// daemon's config or the system's prompt.
func (c *Client) Unlock(ctx context.Context, passphrase credential.Secret, limit time.Duration) error {
	request := api.UnlockRequest{Passphrase: passphrase.Reveal()}
	if limit != 0 {
		request.For = limit.String()
	}
	ctx, cancel := within(ctx, unlockTimeout)
	defer cancel()
	_, err := c.do(ctx, http.MethodPost, api.PathUnlock, request)
	return err
}

// AddKey makes the daemon store a permanent key of that name. Its keystore must be open.
func (c *Client) AddKey(ctx context.Context, name string, k api.NewKey) error {
	target, err := ofProfile(api.PathKeys, name, "")
	if err != nil {
		return err
	}
	_, err = c.do(ctx, http.MethodPut, target, k)
	return err
}

// Lock makes the daemon forget what Unlock opened.
func (c *Client) Lock(ctx context.Context) error {
	_, err := c.do(ctx, http.MethodPost, api.PathLock, nil)
	return err
}

// Stop makes the daemon end once it has answered those who wait.
func (c *Client) Stop(ctx context.Context) error {
	_, err := c.do(ctx, http.MethodPost, api.PathStop, nil)
	return err
}
