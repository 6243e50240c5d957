package client

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tencentcloud/tencentcloud-sdk-go/tencentcloud/common"

	"github.com/tcred/tcred/api"
	"github.com/tcred/tcred/credential"
)

var _ common.CredentialIface = Tencent("any")

// issuer stands in for the daemon: each answer is a new triple, "id 1", "key 1", "token 1" and so on, of this life.
type issuer struct {
	life  time.Duration
	err   error         // given in place of an answer
	delay time.Duration // before an answer
	asked int
}

func (i *issuer) ask(ctx context.Context) (credential.Credential, error) {
	i.asked++
	if i.delay > 0 { // alone: in a bubble of synctest time stands still while others wait at a mutex
		select {
		case <-time.After(i.delay):
		case <-ctx.Done():
			return credential.Credential{}, ctx.Err()
		}
	}
	now := time.Now()
	return credential.Credential{
		SecretID: fmt.Sprint("id ", i.asked), SecretKey: credential.Secret(fmt.Sprint("key ", i.asked)),
		Token: credential.Secret(fmt.Sprint("token ", i.asked)), Issued: now, Expires: now.Add(i.life),
	}, i.err
}

func (i *issuer) credential() *SDKCredential { return &SDKCredential{profile: "upload", ask: i.ask} }

// want fails unless all methods of s give the triple of that number, or nothing for 0.
func want(t *testing.T, s *SDKCredential, number int) {
	t.Helper()
	wanted := [3]string{}
	if number > 0 {
		wanted = [3]string{fmt.Sprint("id ", number), fmt.Sprint("key ", number), fmt.Sprint("token ", number)}
	}
	if parts := [3]string{s.GetSecretId(), s.GetSecretKey(), s.GetToken()}; parts != wanted {
		t.Errorf("the getters give %q, want %q", parts, wanted)
	}
	if id, key, token := s.GetCredential(); [3]string{id, key, token} != wanted {
		t.Errorf("GetCredential gives %q, %q, %q, want %q", id, key, token, wanted)
	}
}

func TestTheDaemonIsAskedOnlyWhenTooLittleLifeIsLeft(t *testing.T) {
	for _, tt := range []struct{ life, enough time.Duration }{
		{2 * time.Hour, 105 * time.Minute}, {30 * time.Minute, 15 * time.Minute}, {10 * time.Minute, 5 * time.Minute},
	} {
		synctest.Test(t, func(t *testing.T) {
			i := &issuer{life: tt.life}
			s := i.credential()
			want(t, s, 1)
			time.Sleep(tt.enough)
			want(t, s, 1)
			time.Sleep(time.Second)
			want(t, s, 2)
			if i.asked != 2 || s.Err() != nil {
				t.Errorf("life %v: asked %d times, %v", tt.life, i.asked, s.Err())
			}
		})
	}
}

func TestTheLastGoodTripleIsUsedWhileItIsValid(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		i := &issuer{life: time.Hour}
		s := i.credential()
		want(t, s, 1)
		i.err = &api.Error{Code: api.NoDaemon, Message: "nobody listens"}
		time.Sleep(50 * time.Minute)
		for range 5 {
			want(t, s, 1)
			time.Sleep(time.Second)
		}
		if i.asked != 2 || api.CodeOf(s.Err()) != api.NoDaemon {
			t.Errorf("asked %d times within 5 s, %v", i.asked, s.Err())
		}
		time.Sleep(10 * time.Minute)
		want(t, s, 0)
		if i.asked != 3 || api.CodeOf(s.Err()) != api.NoDaemon {
			t.Errorf("asked %d times, %v", i.asked, s.Err())
		}
		i.err = nil
		time.Sleep(restNone)
		want(t, s, 4)
		if s.Err() != nil {
			t.Errorf("got %v", s.Err())
		}
	})
}

// Else an id could come before the daemon does, and a key after.
func TestTheGettersOfOneRequestAgreeOnAFailure(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		i := &issuer{life: time.Hour, err: errors.New("not now")}
		s := i.credential()
		id := s.GetSecretId()
		i.err = nil
		if parts := [3]string{id, s.GetSecretKey(), s.GetToken()}; parts != [3]string{} {
			t.Errorf("got %q", parts)
		}
	})
}

func TestADaemonThatHangsHoldsAValidCredentialBackForTwoSecondsAtMost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		i := &issuer{life: time.Hour}
		s := i.credential()
		want(t, s, 1)
		i.delay = time.Hour
		time.Sleep(50 * time.Minute)
		begun := time.Now()
		want(t, s, 1)
		if took := time.Since(begun); took != patience {
			t.Errorf("it took %v", took)
		}
		time.Sleep(15 * time.Minute)
		begun = time.Now()
		want(t, s, 0)
		if took := time.Since(begun); took != api.ClientTimeout || !errors.Is(s.Err(), context.DeadlineExceeded) {
			t.Errorf("it took %v, %v", took, s.Err())
		}
	})
}

// What a daemon hands out near the end of its own means is taken, and asked for again, but not at each call.
func TestALittleLifeIsTakenAndALostOneNot(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		i := &issuer{life: time.Hour}
		s := i.credential()
		s.ask = func(ctx context.Context) (credential.Credential, error) {
			c, err := i.ask(ctx)
			c.Issued = c.Expires.Add(-2 * time.Hour)
			return c, err
		}
		i.life = time.Minute
		want(t, s, 1)
		want(t, s, 1)
		time.Sleep(restValid)
		want(t, s, 2)
		i.life = -time.Second
		time.Sleep(2 * time.Minute)
		want(t, s, 0)
		if api.CodeOf(s.Err()) != api.MinTTLUnmet || !strings.Contains(s.Err().Error(), `"upload"`) {
			t.Errorf("got %v", s.Err())
		}
	})
}

func TestTheShorterOfTwoClocksCounts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		i := &issuer{life: time.Hour}
		s := i.credential()
		want(t, s, 1)
		s.held.Expires = time.Now().Add(-time.Second) // as if the machine had slept through its life
		want(t, s, 2)
		s.held.Expires = time.Now().Add(10 * time.Hour) // as if the wall clock had stepped back
		time.Sleep(46 * time.Minute)
		want(t, s, 3)
		s.held.Issued, s.held.Expires = time.Now().Add(time.Hour), time.Now().Add(2*time.Hour) // before the issue
		time.Sleep(restValid)
		want(t, s, 4)
	})
}

func TestManyCallersShareOneQuestionAndNeverSeePartsOfTwo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		i := &issuer{life: time.Minute}
		s := i.credential()
		var all sync.WaitGroup
		for range 100 {
			all.Go(func() {
				for range 100 {
					id, key, token := s.GetCredential()
					if number := strings.TrimPrefix(id, "id "); key != "key "+number || token != "token "+number {
						t.Errorf("torn: %q, %q, %q", id, key, token)
					}
					time.Sleep(time.Second)
				}
			})
		}
		all.Wait()
		if i.asked != 4 { // at 0, 30, 60 and 90 s
			t.Errorf("asked %d times", i.asked)
		}
	})
}

func TestACredentialPrintsNoSecret(t *testing.T) {
	i := &issuer{life: time.Hour}
	s := i.credential()
	s.GetCredential()
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x"} {
		if text := fmt.Sprintf(verb, s); text != `tcred profile "upload"` {
			t.Errorf("%s prints %s", verb, text)
		}
	}
}

// signer signs as cos-go-sdk's AuthorizationTransport does: three values, set and read under one lock.
type signer struct {
	mu             sync.Mutex
	id, key, token string
	torn, sent     atomic.Int32
}

func (s *signer) SetCredential(id, key, token string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.id, s.key, s.token = id, key, token
}

func (s *signer) RoundTrip(*http.Request) (*http.Response, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if number := strings.TrimPrefix(s.id, "id "); s.key != "key "+number || s.token != "token "+number {
		s.torn.Add(1)
	}
	s.sent.Add(1)
	return &http.Response{StatusCode: http.StatusOK, Body: http.NoBody}, nil
}

func TestATransportSignsWithWholeTriples(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		i, cos := &issuer{life: 20 * time.Second}, new(signer)
		web := http.Client{Transport: i.credential().Transport(cos)}
		var all sync.WaitGroup
		for range 20 {
			all.Go(func() {
				for range 50 {
					if _, err := web.Get("http://bucket/"); err != nil {
						t.Error(err)
					}
					time.Sleep(time.Second)
				}
			})
		}
		all.Wait()
		if cos.torn.Load() != 0 || cos.sent.Load() != 1000 || i.asked != 5 {
			t.Errorf("%d of %d torn, asked %d times", cos.torn.Load(), cos.sent.Load(), i.asked)
		}
	})
}

type body struct {
	io.Reader
	closed bool
}

func (b *body) Close() error { b.closed = true; return nil }

func TestATransportWithoutACredentialSendsNothing(t *testing.T) {
	i, cos := &issuer{err: &api.Error{Code: api.NoProfile, Message: "no profile"}}, new(signer)
	web := http.Client{Transport: i.credential().Transport(cos)}
	sent := &body{Reader: strings.NewReader("x")}
	_, err := web.Post("http://bucket/", "text/plain", sent)
	if api.CodeOf(err) != api.NoProfile || cos.sent.Load() != 0 || !sent.closed {
		t.Errorf("sent %d, body closed: %v, %v", cos.sent.Load(), sent.closed, err)
	}
}

// cos-go-sdk finds the method by such an interface.
func TestATransportTellsItsCredentialForPresignedURLs(t *testing.T) {
	i := &issuer{life: time.Hour}
	transport := i.credential().Transport(new(signer)).(interface {
		GetCredential() (string, string, string, error)
	})
	id, key, token, err := transport.GetCredential()
	if id != "id 1" || key != "key 1" || token != "token 1" || err != nil {
		t.Errorf("got %q, %q, %q, %v", id, key, token, err)
	}
}
