// Package client asks the tcred daemon from Go: for credentials, for its status, and to do what the tcred command has
// it do.
//
// tcred keeps a permanent Tencent Cloud key in the operating system's keychain. Its daemon trades that key at STS for
// short-lived credentials, one for each profile of config.toml, renews them ahead of their end, and hands them to
// programs of the same user over a unix socket. A program that uses this package holds no permanent key, and needs no
// file and no variable with one.
//
// For Tencent Cloud's SDKs there is [Tencent]: a value that an SDK takes as its credential, and that is fresh at each
// request.
//
//	c, err := cvm.NewClient(client.Tencent("upload"), "ap-guangzhou", profile.NewClientProfile())
//
// For everything else there is [Client], whose zero value is ready to use:
//
//	var c client.Client
//	cred, err := c.Credential(ctx, "upload", 20*time.Minute)
//
// Both ask the daemon that runs, at the place where tcred has it, and start none. With the field Binary set, a Client
// starts it where none runs. On Windows there is no daemon yet: each call fails with [api.NoDaemon].
//
// Every error is an [*api.Error], whose code tells what happened and whose hint what to do about it. A call without a
// deadline in its context ends after [api.ClientTimeout], [Client.Unlock] after 30 s.
//
// # Stability
//
// tcred is at version 0. Until version 1 an exported name may still change in a minor version, and its changelog says
// so. Meant to stay: the zero Client, Credential, Get, and what Tencent returns with its methods. The client
// understands daemons of its own minor version, and an answer that it does not understand is an error that names both
// versions, never half a credential.
package client

import (
	"context"
	"net/http"
	"net/url"
	"sync"
	"sync/atomic"
	"time"

	"github.com/tcred/tcred/api"
	"github.com/tcred/tcred/credential"
)

// unlockTimeout is how long Unlock waits where its context has no deadline: opening a keystore can take a
// person's answer. Every other call waits for api.ClientTimeout then.
const unlockTimeout = 30 * time.Second

// Client is a client of one daemon. The zero Client asks the daemon of this user that runs, and starts none. It may be
// used from many goroutines, but not copied, and its fields are set before its first call.
type Client struct {
	// Socket is the absolute path where the daemon listens. "" is where tcred itself would look, anew at each call:
	// $TCRED_SOCKET, else a place in the user's runtime or cache directory.
	Socket string

	// Person says that a person waits at a terminal: what failed a moment ago is asked anew for them.
	Person bool

	// Binary is the absolute path of the tcred that a call starts where no daemon listens, such as
	// "/usr/local/bin/tcred". "" starts none, and the call fails with [api.NoDaemon]. The daemon is no child of this
	// process, outlives it, and has nothing of it but the variables that say where files and keychain are.
	Binary string

	// Warn is called with what the daemon wants a person to know beside an answer, such as why not all of the config on
	// disk is in use: once for each text. It may be nil.
	Warn func(string)

	// Observe is called as each request begins, with its method and path, and what it returns once the request ended,
	// also if it failed. It may be nil.
	Observe func(request string) (ended func(Exchange))

	once    sync.Once
	http    *http.Client
	version atomic.Pointer[string] // of the daemon, by its last answer; another than ours explains what makes no sense
	warned  sync.Map               // texts that Warn was called with
}

// Exchange is one request, and what is known of its answer. What is not known is zero.
type Exchange struct {
	Socket  string        // the path where the daemon listens
	PID     int           // of the process that listens there: the daemon, or systemd, where that made the socket
	Version string        // of the daemon
	Profile string        // that an asked credential belongs to, also if the request named none
	Layer   string        // where the daemon had the credential from, as api.HeaderLayer says
	Connect time.Duration // until the connection was there, a start of the daemon included
	Total   time.Duration // until the answer was read, or the request failed
	Err     error
}

// transport is the HTTP client of c, made at the first call.
func (c *Client) transport() *http.Client {
	c.once.Do(func() {
		c.http = &http.Client{
			Transport: &http.Transport{
				DialContext:            c.dial,
				DisableKeepAlives:      true, // a connection costs microseconds; a stale one costs a failed call
				DisableCompression:     true,
				MaxResponseHeaderBytes: api.MaxHeader,
			},
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		}
	})
	return c.http
}

// Options say what credential Get asks for.
type Options struct {
	Format credential.Format // "" is credential.Process
	MinTTL time.Duration     // the credential lives at least so long, or it is an error; 0 leaves it to the daemon
}

// Get returns the text of a credential, exactly as the format prints it. The profile "" is the one that the daemon
// chooses: default_profile of config.toml, else the one that is called so, else that of the only key.
func (c *Client) Get(ctx context.Context, profile string, o Options) ([]byte, error) {
	query := url.Values{}
	if o.Format != "" {
		query.Set(api.ParamFormat, string(o.Format))
	}
	if o.MinTTL != 0 {
		query.Set(api.ParamMinTTL, o.MinTTL.String())
	}
	target, err := api.PathAll, error(nil)
	if profile != "" {
		target, err = ofProfile(api.PathCredentials, profile, "")
	}
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

// Credential returns a credential that lives at least minTTL; 0 leaves that to the daemon. The profile "" is as in Get.
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

// KeyIdentity returns who Tencent Cloud says the bearer of a permanent key is, which the daemon asks anew each time.
func (c *Client) KeyIdentity(ctx context.Context, key string) (api.Identity, error) {
	target, err := ofProfile(api.PathKeys, key, api.SuffixIdentity)
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
