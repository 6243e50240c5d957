package broker

import (
	"testing"
	"time"

	"github.com/tcred/tcred/credential"
)

// Early, by up to a tenth of the half-life, and never late: the uses that come after the half-life would hide it.
func TestARenewalIsDueEarlyByUpToATenth(t *testing.T) {
	now := time.Now()
	for whole, latest := range map[time.Duration]time.Duration{
		2 * time.Hour: time.Hour, 36 * time.Hour: 18 * time.Hour, 30 * time.Minute: 10 * time.Minute,
		20 * time.Minute: 5 * time.Minute, // at the latest 20 minutes before expiry, but not before a quarter of the life
	} {
		c := credential.Credential{SecretID: "id", SecretKey: "k", Token: "t", Issued: now, Expires: now.Add(whole)}
		least, most := whole, time.Duration(0)
		for range 1000 {
			age := renewalAge(newLease(c, now))
			least, most = min(least, age), max(most, age)
		}
		if most > latest || least < min(latest, whole/2*9/10) {
			t.Errorf("of %v: due between %v and %v", whole, least, most)
		}
		if latest == whole/2 && (most < latest*98/100 || least > latest*92/100) {
			t.Errorf("of %v: due between %v and %v, which is no spread", whole, least, most)
		}
	}
}
