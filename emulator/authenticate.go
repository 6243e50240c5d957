package emulator

import (
	"crypto/sha256"
	"crypto/subtle"
	"regexp"
	"strconv"
	"time"

	"github.com/tcred/tcred/credential"
)

// maxSkew is how far the clocks of client and server may be apart, either way.
const maxSkew = 5 * time.Minute

// caller is who signed a request.
type caller struct {
	account   Account
	identity  identity
	temporary bool // by a credential that STS issued, not by a permanent key
}

// session is an issued temporary credential. The token itself is not kept.
type session struct {
	secretKey credential.Secret
	token     [sha256.Size]byte
	account   Account // whose key it was issued to
	identity  identity
	expires   time.Time
}

var secretIDForm = regexp.MustCompile(`^[AI]KID[A-Za-z0-9_-]+$`) // IKID is the international site's

// claim is what a request says of who signed it.
type claim struct {
	secretID string
	date     string                       // that the signature is bound to: the Timestamp's in UTC; "" for none
	signedBy func(credential.Secret) bool // whether that SecretKey made the signature
}

// claim reads it from the Authorization header, or with signature v1 from the parameters.
func (q request) claim() (claim, error) {
	if q.v1 {
		return q.v1Claim()
	}
	a, err := parseAuthorization(q.Header.Get("Authorization"))
	if err != nil {
		return claim{}, err
	}
	return claim{a.secretID, a.date, func(key credential.Secret) bool { return a.verify(q.Request, q.body, key) }}, nil
}

// authenticate finds out who signed a request, or why nobody did.
func (e *Emulator) authenticate(q request, now time.Time) (caller, error) {
	c, err := q.claim()
	if err != nil {
		return caller{}, err
	}
	if err := checkTime(q.common("Timestamp"), c.date, now); err != nil {
		return caller{}, err
	}
	account, permanent := e.accounts[c.secretID]
	s, temporary := e.session(c.secretID)
	key := s.secretKey
	switch {
	case permanent:
		key = account.SecretKey
	case !temporary && secretIDForm.MatchString(c.secretID):
		return caller{}, refuse("AuthFailure.SecretIdNotFound", "the SecretId is not found")
	case !temporary:
		return caller{}, refuse("AuthFailure.InvalidSecretId", "the SecretId is not one of an API key")
	}
	if !c.signedBy(key) {
		return caller{}, refuse("AuthFailure.SignatureFailure", "the signature does not match the request and the key")
	}
	token := q.common("Token")
	if permanent {
		if token != "" {
			return caller{}, refuse("AuthFailure.TokenFailure", "a permanent key has no token")
		}
		return caller{account: account, identity: userIdentity(account)}, nil
	}
	if err := s.checkToken(token, now); err != nil {
		return caller{}, err
	}
	return caller{account: s.account, identity: s.identity, temporary: true}, nil
}

// checkTime holds the timestamp to the five minutes and a signature's date, if it has one, to the timestamp.
func checkTime(timestamp, date string, now time.Time) error {
	if timestamp == "" {
		return refuse("MissingParameter", "the common parameter Timestamp is missing")
	}
	seconds, err := strconv.ParseInt(timestamp, 10, 64)
	if err != nil {
		return refuse("InvalidParameterValue", "the Timestamp is not in Unix seconds")
	}
	signed := time.Unix(seconds, 0).UTC()
	if signed.Before(now.Add(-maxSkew)) || signed.After(now.Add(maxSkew)) {
		return refuse("AuthFailure.SignatureExpire", "the Timestamp differs from the server's time by more than five minutes")
	}
	if date != "" && signed.Format(time.DateOnly) != date {
		return refuse("AuthFailure.SignatureFailure", "the date of the credential scope is not the Timestamp's in UTC")
	}
	return nil
}

func (e *Emulator) session(secretID string) (session, bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	s, ok := e.sessions[secretID]
	return s, ok
}

// checkToken holds a session to its token and its life.
func (s session) checkToken(token string, now time.Time) error {
	sum := sha256.Sum256([]byte(token))
	if subtle.ConstantTimeCompare(sum[:], s.token[:]) != 1 {
		return refuse("AuthFailure.TokenFailure", "the token is missing or not this credential's")
	}
	if !now.Before(s.expires) {
		return refuse("AuthFailure.TokenFailure", "the token has expired")
	}
	return nil
}

// issue makes a temporary credential for lifetime and remembers it.
func (e *Emulator) issue(account Account, who identity, now time.Time, lifetime time.Duration) credential.Credential {
	c := credential.Credential{
		SecretID:  "AKID" + randomURLSafe(64),
		SecretKey: credential.Secret(randomURLSafe(43) + "="),
		Token:     credential.Secret(randomURLSafe(e.tokenSize)),
		Issued:    now,
		Expires:   now.Add(lifetime).Truncate(time.Second),
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	e.sessions[c.SecretID] = session{c.SecretKey, sha256.Sum256([]byte(c.Token.Reveal())), account, who, c.Expires}
	return c
}
