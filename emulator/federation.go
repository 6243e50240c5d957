package emulator

import (
	"regexp"
	"time"
)

// Lifetimes of a federation token, from the STS page.
const (
	defaultLifetime = 1800 * time.Second
	maxRootLifetime = 7200 * time.Second
	maxSubLifetime  = 129600 * time.Second
)

// nameForm: the page says letters; hyphens are in use, so they pass too.
var nameForm = regexp.MustCompile(`^[A-Za-z-]+$`)

func (e *Emulator) federationToken(c *call) (any, error) {
	if c.caller.temporary {
		return nil, refuse("FailedOperation.TempKeyNotAllowed", "this call takes permanent keys only")
	}
	if err := c.params.only("Name", "Policy", "DurationSeconds"); err != nil {
		return nil, err
	}
	name, err := c.params.text("Name")
	if err != nil {
		return nil, err
	}
	if !nameForm.MatchString(name) {
		return nil, refuse("InvalidParameter.ParamError", "the Name consists of letters")
	}
	policy, err := c.params.text("Policy")
	if err != nil {
		return nil, err
	}
	if err := checkPolicy(policy, policyRules{c.caller.account, c.request.v1}); err != nil {
		return nil, err
	}
	lifetime, err := c.lifetime()
	if err != nil {
		return nil, err
	}
	got := e.issue(c.caller.account, federatedIdentity(c.caller.account, name), c.now, c.fault.lifetime(lifetime))
	expiration := got.Expires.UTC().Format(time.RFC3339)
	answer := federationAnswer{
		Credentials: triple{got.Token.Reveal(), got.SecretID, got.SecretKey.Reveal()},
		ExpiredTime: got.Expires.Unix(), Expiration: &expiration, RequestID: c.requestID,
	}
	if c.fault.Body == NullExpiration {
		answer.Expiration = nil
	}
	return answer, nil
}

// lifetime is DurationSeconds, held to what the account may have.
func (c *call) lifetime() (time.Duration, error) {
	seconds, err := c.params.integer("DurationSeconds", int64(defaultLifetime/time.Second))
	if err != nil {
		return 0, err
	}
	longest := maxSubLifetime
	if c.caller.account.Root() {
		longest = maxRootLifetime
	}
	if seconds <= 0 {
		return 0, refuse("InvalidParameter.ParamError", "DurationSeconds is not positive")
	}
	if seconds > int64(longest/time.Second) {
		return 0, refuse("InvalidParameter.OverTimeError", "DurationSeconds is over %d", longest/time.Second)
	}
	return time.Duration(seconds) * time.Second, nil
}
