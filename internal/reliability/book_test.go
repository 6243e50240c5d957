package reliability

import (
	"fmt"
	"sync"
	"time"

	"github.com/tcred/tcred/credential"
)

// book keeps what clients were served, and judges it.
type book struct {
	cloud *cloud

	mu   sync.Mutex
	best map[string]time.Time // by profile, until when the longest-lived credential that anybody was served is good
	tallies
}

// tallies count calls by how they ended.
type tallies struct {
	answered int
	failed   int      // with no valid credential to be had
	wronged  int      // although there was one
	expired  int      // served, but not to be used any more
	foreign  int      // served, but issued to another, or to nobody
	samples  []string // a few of the bad ones
}

func newBook(c *cloud) *book { return &book{cloud: c, best: make(map[string]time.Time)} }

func (b *book) tally() tallies {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.tallies
}

// ask makes one call and enters how it ended. A failure is wrong if a credential that was served before the call is
// good beyond it; a credential is expired if it was when the call began, or, by STS's own word, when it ended.
func (b *book) ask(profile string, get func(string) (credential.Credential, error)) {
	known := b.known(profile)
	begun := time.Now()
	cred, err := get(profile)
	ended := time.Now()
	made := b.cloud.issued(cred)
	b.mu.Lock()
	defer b.mu.Unlock()
	switch {
	case err != nil && known.After(ended):
		b.wronged++
		b.sample("%s: failed after %s with %s left: %v", profile, ended.Sub(begun), known.Sub(ended), err)
	case err != nil:
		b.failed++
	case made.owner() != profile:
		b.foreign++
		b.sample("%s: foreign: issued to %s", profile, made.owner())
	case !cred.Expires.After(begun) || !made.expires.After(ended) || cred.Expires.After(made.expires.Add(-credential.Margin)):
		b.expired++
		b.sample("%s: expired: until %s, STS says %s, asked %s", profile, cred.Expires, made.expires, begun)
	default:
		b.answered++
		if cred.Expires.After(b.best[profile]) {
			b.best[profile] = cred.Expires
		}
	}
}

func (b *book) known(profile string) time.Time {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.best[profile]
}

func (t *tallies) sample(format string, args ...any) {
	if len(t.samples) < 10 {
		t.samples = append(t.samples, fmt.Sprintf(format, args...))
	}
}
