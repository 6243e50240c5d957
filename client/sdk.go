package client

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"sync"
	"time"

	"github.com/tcred/tcred/api"
	"github.com/tcred/tcred/credential"
)

// When an [SDKCredential] asks the daemon.
const (
	// floor is the life below which it asks, or half of a life shorter than twice that. It is the daemon's own rule for
	// when a caller must wait for a new credential; the daemon has renewed at half of the life, and answers at once.
	floor = 15 * time.Minute

	// patience is how long it waits for the daemon while what it holds is valid. Else it is api.ClientTimeout.
	patience = 2 * time.Second

	// restValid is the time between two questions while what it holds is valid: all of them would have the same answer.
	restValid = 10 * time.Second

	// restNone is the time after a failure in which nothing is asked, so that the three getters of one request agree.
	restNone = time.Second
)

// SDKCredential is a profile's credential for Tencent Cloud's SDKs, fresh at each request. It has the methods of
// tencentcloud-sdk-go's common.CredentialIface, and of the interfaces of that kind in other SDKs. [Tencent] and
// [Client.Tencent] make one. It may be used from many goroutines.
//
// It holds the credential that the daemon gave last, and asks for another when that one has under 15 minutes left, or
// half of its life where that is less. While the daemon does not answer, the one it holds goes on being used as long as
// it is valid, and the daemon is asked again every 10 seconds, for 2 seconds at most. Without a valid one every method
// waits for the daemon, up to [api.ClientTimeout]. If there is none then, the values are empty, for a second at least,
// and Err says why.
//
// GetCredential returns one triple. GetSecretId, GetSecretKey and GetToken return parts of the same one as long as no
// other was taken up between them, which happens once in a credential's life: an SDK that calls all three for a request
// may then send parts of two, and be refused once. tencentcloud-sdk-go calls GetCredential. For cos-go-sdk there is
// [SDKCredential.Transport].
type SDKCredential struct {
	profile string
	ask     func(context.Context) (credential.Credential, error)

	mu    sync.Mutex // locked while asking: whoever comes meanwhile waits for the same answer
	held  credential.Credential
	since time.Time     // when held came, with the monotonic reading
	life  time.Duration // what held had left then, by the wall clock
	asked time.Time     // when the last question ended, with the monotonic reading
	err   error         // what it ended with
}

// Tencent returns a credential of profile for Tencent Cloud's SDKs, from the daemon that runs. It asks nothing yet.
func Tencent(profile string) *SDKCredential { return new(Client).Tencent(profile) }

// Tencent returns a credential of profile for Tencent Cloud's SDKs, from c's daemon. It asks nothing yet.
func (c *Client) Tencent(profile string) *SDKCredential {
	return &SDKCredential{profile: profile, ask: func(ctx context.Context) (credential.Credential, error) {
		return c.Credential(ctx, profile, 0)
	}}
}

// GetCredential returns SecretId, SecretKey and token, of one credential; three empty strings if there is none.
func (s *SDKCredential) GetCredential() (secretID, secretKey, token string) {
	c, _ := s.current() // Err keeps the error
	return c.SecretID, c.SecretKey.Reveal(), c.Token.Reveal()
}

// GetSecretId returns the SecretId, "" if there is no credential.
func (s *SDKCredential) GetSecretId() string {
	id, _, _ := s.GetCredential()
	return id
}

// GetSecretKey returns the SecretKey, "" if there is no credential.
func (s *SDKCredential) GetSecretKey() string {
	_, key, _ := s.GetCredential()
	return key
}

// GetToken returns the token, "" if there is no credential.
func (s *SDKCredential) GetToken() string {
	_, _, token := s.GetCredential()
	return token
}

// Err returns why the last question to the daemon brought no credential, an [*api.Error]. It is nil if it brought
// one, or none was asked yet; Err asks none. While a credential from before is valid, the other methods return that
// one all the same.
func (s *SDKCredential) Err() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.err
}

// String names the profile and shows nothing of the credential.
func (s *SDKCredential) String() string { return fmt.Sprintf("tcred profile %q", s.profile) }

// Format prints as String does for every verb.
func (s *SDKCredential) Format(f fmt.State, _ rune) { io.WriteString(f, s.String()) }

// current is a valid credential, or why there is none.
func (s *SDKCredential) current() (credential.Credential, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	left := s.left()
	if !s.enough(left) && time.Since(s.asked) >= s.rest(left) {
		left = s.renew(left)
	}
	if left <= 0 {
		return credential.Credential{}, s.err
	}
	return s.held, nil
}

// left is how much longer the held credential is good for. The wall clock steps, and the monotonic one may stand still
// while the machine sleeps: the shorter of the two counts.
func (s *SDKCredential) left() time.Duration {
	if s.held.IsZero() {
		return 0
	}
	now := time.Now()
	return min(s.held.Expires.Sub(now.Round(0)), s.life-now.Sub(s.since))
}

// enough reports whether the held credential has life enough to ask for no other. With a wall clock before its issue,
// nobody can tell.
func (s *SDKCredential) enough(left time.Duration) bool {
	return left > 0 && left >= min(floor, s.held.Duration()/2) && !time.Now().Round(0).Before(s.held.Issued)
}

// rest is how long after the last question the next may be asked.
func (s *SDKCredential) rest(left time.Duration) time.Duration {
	switch {
	case left > 0:
		return restValid
	case s.err != nil:
		return restNone
	}
	return 0
}

// renew asks the daemon, keeps what it gives, and returns what is left of it. Nothing left leaves an error.
func (s *SDKCredential) renew(left time.Duration) time.Duration {
	limit := api.ClientTimeout
	if left > 0 {
		limit = patience
	}
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	c, err := s.ask(ctx)
	s.asked, s.err = time.Now(), err
	if err == nil {
		s.held, s.since = c, s.asked
		s.life = c.Expires.Sub(s.asked.Round(0))
	}
	left = s.left()
	if left <= 0 && err == nil {
		s.err = &api.Error{
			Code: api.MinTTLUnmet, Message: fmt.Sprintf("the daemon's credential of profile %q is over", s.profile),
			Hint: "is this machine's clock right? tcred doctor",
		}
	}
	return left
}

// Signer is an HTTP transport that signs each request with the three values that it was given last, and takes them and
// uses them together. cos-go-sdk's *cos.AuthorizationTransport is one.
type Signer interface {
	http.RoundTripper
	SetCredential(secretID, secretKey, token string)
}

// Transport returns an HTTP transport that hands signer one whole triple ahead of each request, fresh as GetCredential
// returns it. Without a credential a request is not sent: it fails with the error that Err returns.
//
// It also has a method GetCredential() (secretID, secretKey, token string, err error), which cos-go-sdk looks for
// when it makes a presigned URL.
func (s *SDKCredential) Transport(signer Signer) http.RoundTripper { return signed{s, signer} }

type signed struct {
	credential *SDKCredential
	signer     Signer
}

func (t signed) GetCredential() (secretID, secretKey, token string, err error) {
	c, err := t.credential.current()
	return c.SecretID, c.SecretKey.Reveal(), c.Token.Reveal(), err
}

func (t signed) RoundTrip(r *http.Request) (*http.Response, error) {
	c, err := t.credential.current()
	if err != nil {
		if r.Body != nil {
			r.Body.Close() // a transport always does
		}
		return nil, err
	}
	t.signer.SetCredential(c.SecretID, c.SecretKey.Reveal(), c.Token.Reveal())
	return t.signer.RoundTrip(r)
}
