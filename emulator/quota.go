package emulator

import "time"

// quotas in requests a second and account, from the two STS pages.
var quotas = map[string]int{GetFederationToken: 600, GetCallerIdentity: 20}

type quotaKey struct{ account, action string }

// window counts the requests of one second of the emulator's clock.
type window struct {
	second int64
	spent  int
}

// spend takes one request from an account's quota of action.
func (e *Emulator) spend(account, action string, now time.Time) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	key := quotaKey{account, action}
	w := e.quotas[key]
	if w.second != now.Unix() {
		w = window{second: now.Unix()}
	}
	if w.spent >= quotas[action] {
		return refuse("RequestLimitExceeded", "over %d requests a second", quotas[action])
	}
	w.spent++
	e.quotas[key] = w
	return nil
}
