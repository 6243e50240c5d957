package reliability

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tcred/tcred/api"
	"github.com/tcred/tcred/cache"
	"github.com/tcred/tcred/credential"
	"github.com/tcred/tcred/emulator"
	"github.com/tcred/tcred/internal/say"
)

const (
	chaosProfiles   = 24
	chaosKills      = 25              // that must fall inside an entry write
	chaosLimit      = 4 * time.Minute // for all of them
	chaosLife       = 20 * time.Second
	chaosRefreshers = 6  // clients that force a new credential, and with it a write
	chaosAskers     = 10 // clients that ask
	chaosHelpers    = 4  // processes that ask, one after the other; they start the daemon again
	chaosPatience   = 15 * time.Second
	lockBound       = 10 * time.Second // for an entry's lock, as the daemon's own
)

// TestChaos kills the daemon while clients ask and entries are written. A kill counts if it provably fell
// inside a write: a temporary file is there before and after it, and no other daemon listened yet that could write.
func TestChaos(t *testing.T) {
	needReal(t)
	c := newChaos(t)
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	clients := c.startClients(ctx)
	began := time.Now()
	for c.inside < chaosKills && time.Since(began) < chaosLimit && !t.Failed() {
		c.strike()
	}
	stop()
	clients.Wait()
	c.wantQuiet()

	got := c.book.tally()
	figures := fmt.Sprintf(`%d kills in %s, %d of them inside the write of an entry
  %d calls answered, %d attempts met a dead daemon and were served when they tried again; failed for good: %d
  expired served: %d, foreign or torn served: %d; longest wait for a lock: %s
`, c.kills, time.Since(began).Round(time.Second), c.inside, got.answered, c.met.count, got.failed+got.wronged, got.expired, got.foreign, c.longest.Round(time.Millisecond))
	fmt.Print(figures)
	t.Log(figures, c.met.codes)
	for _, line := range got.samples {
		t.Error(line)
	}
	if c.inside < chaosKills || got.failed+got.wronged+got.expired+got.foreign > 0 {
		t.Error("not as promised: see the figures")
	}
	if got.answered < 100*chaosKills {
		t.Error("too few calls to show anything")
	}
}

// chaos is a world whose daemon does not live long.
type chaos struct {
	*world
	t       *testing.T
	book    *book
	names   []string
	keys    map[string]cache.Key // by profile
	kills   int
	inside  int
	longest time.Duration
	met     met
}

// met are the failed attempts of clients.
type met struct {
	mu    sync.Mutex
	count int
	codes map[string]int
}

func newChaos(t *testing.T) *chaos {
	var settings strings.Builder
	settings.WriteString("sts_rate = 500\n")
	c := &chaos{t: t, keys: make(map[string]cache.Key), met: met{codes: make(map[string]int)}}
	for i := range chaosProfiles {
		c.names = append(c.names, "chaos"+letters(i))
		fmt.Fprintf(&settings, "[profiles.%s]\npolicy = \"full\"\n", c.names[i])
	}
	c.world = newWorld(t, shipped, settings.String())
	c.cloud.suffer(emulator.Fault{Lifetime: chaosLife + credential.Margin})
	c.book = newBook(c.cloud)
	for _, name := range c.names {
		c.keys[name] = c.keyOf(name)
	}
	return c
}

func (c *chaos) startClients(ctx context.Context) *sync.WaitGroup {
	var clients sync.WaitGroup
	run := func(n int, call func(profile string)) {
		for range n {
			clients.Go(func() {
				for ctx.Err() == nil {
					call(c.names[rand.IntN(len(c.names))])
				}
			})
		}
	}
	run(chaosAskers, func(profile string) { c.book.ask(profile, c.patiently(c.get)) })
	run(chaosHelpers, func(profile string) { c.book.ask(profile, c.patiently(c.getByProcess)) })
	run(chaosRefreshers, func(profile string) {
		if _, err := c.client.Refresh(ctx, profile); err != nil && ctx.Err() == nil {
			c.wantClear(err)
			time.Sleep(5 * time.Millisecond)
		}
	})
	return &clients
}

// patiently tries again, as who is told so does, for as long as a daemon may take to come back.
func (c *chaos) patiently(get func(string) (credential.Credential, error)) func(string) (credential.Credential, error) {
	return func(profile string) (cred credential.Credential, err error) {
		for end := time.Now().Add(chaosPatience); time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
			if cred, err = get(profile); err == nil {
				return cred, nil
			}
			c.wantClear(err)
		}
		return credential.Credential{}, err
	}
}

// wantClear takes the error of an attempt: it says what to do, and that trying again may help.
func (c *chaos) wantClear(err error) {
	e := api.AsError(err)
	if e.Message == "" || e.Hint == "" || e.Code != api.NoDaemon && !e.Retryable() {
		c.t.Errorf("not a clear error: %s: %v (%s)", e.Code, err, e.Hint)
	}
	c.met.mu.Lock()
	defer c.met.mu.Unlock()
	c.met.count++
	c.met.codes[string(e.Code)]++
}

// getByProcess asks by the helper. Where it fails it has printed nothing, and two lines that say why.
func (c *chaos) getByProcess(profile string) (credential.Credential, error) {
	cmd := c.command(context.Background(), "tcred-helper", "--format", "cos", profile)
	var said strings.Builder
	cmd.Stderr = &said
	out, err := cmd.Output()
	var exit *exec.ExitError
	switch {
	case err == nil && said.Len() > 0:
		c.t.Errorf("a helper that succeeded said %q", said.String())
	case errors.As(err, &exit):
		message, hint, two := strings.Cut(strings.TrimSuffix(said.String(), "\n"), "\n")
		message, isError := strings.CutPrefix(message, say.ErrorPrefix)
		hint, isHint := strings.CutPrefix(hint, say.HintPrefix)
		if len(out) > 0 || !two || !isError || !isHint || exit.ExitCode() != say.ExitTryAgain {
			c.t.Errorf("a helper that failed printed %d bytes, exit %d: %q", len(out), exit.ExitCode(), said.String())
		}
		return credential.Credential{}, &api.Error{Code: api.NoDaemon, Message: message, Hint: hint}
	case err != nil:
		return credential.Credential{}, err
	}
	return credential.DecodeCOS(out)
}

// strike kills the daemon that runs, most times as soon as an entry is being written, waits for the next one, and looks
// at what the dead one left.
func (c *chaos) strike() {
	pid := c.nextDaemon()
	if pid == 0 {
		return
	}
	writing := c.aimed()
	kill(pid)
	if !dead(pid, 10*time.Second) {
		c.t.Fatalf("the daemon, process %d, outlives SIGKILL", pid)
	}
	left := both(writing, c.temps())
	if c.pid() != 0 {
		left = nil // they may be the next daemon's
	}
	c.kills++
	if len(left) > 0 {
		c.inside++
	}
	c.nextDaemon()
	for end := time.Now().Add(5 * time.Second); len(left) > 0; left = both(left, c.temps()) {
		if time.Now().After(end) {
			c.t.Errorf("the next daemon runs, and still there is %v", left)
			break
		}
		time.Sleep(time.Millisecond)
	}
	c.wantWhole()
	c.wantLocks()
}

// nextDaemon waits until one listens, which a helper starts.
func (c *chaos) nextDaemon() (pid int) {
	for end := time.Now().Add(chaosPatience); time.Now().Before(end); time.Sleep(2 * time.Millisecond) {
		if pid := c.pid(); pid != 0 {
			return pid
		}
	}
	c.t.Errorf("no daemon listens %s after the last one died", chaosPatience)
	return 0
}

// aimed returns as soon as entries are being written, with their temporary files; one time in five it just waits a
// little, for a kill at any other moment.
func (c *chaos) aimed() (writing []string) {
	time.Sleep(rand.N(50 * time.Millisecond)) // the daemon's youth is no better a time than any other
	if rand.IntN(5) == 0 {
		return nil
	}
	for end := time.Now().Add(2 * time.Second); len(writing) == 0 && time.Now().Before(end); {
		writing = c.temps()
	}
	return writing
}

// wantWhole reads every entry as another process would: what STS issued to its profile, or none at all.
func (c *chaos) wantWhole() (entries int) {
	d, warned := c.openCache()
	s, err := cache.NewSealer(c.cloud.account.SecretKey)
	if err != nil {
		c.t.Fatal(err)
	}
	there := c.files(".cred")
	for name, key := range c.keys {
		cred, ok := d.Get(c.t.Context(), key, s)
		if !ok && slices.Contains(there, string(key)+".cred") {
			c.t.Errorf("%s: the entry is there, and cannot be read", name)
		}
		if !ok {
			continue
		}
		entries++
		if made := c.cloud.issued(cred); made == nil || made.name != name || !cred.Expires.Equal(made.expires.Add(-credential.Margin)) {
			c.t.Errorf("%s: the entry is not what STS issued to it", name)
		}
	}
	if warned.String() != "" {
		c.t.Errorf("reading the entries warned: %s", warned)
	}
	return entries
}

// wantLocks takes every entry's lock, for which clients of the daemon wait too.
func (c *chaos) wantLocks() {
	d, _ := c.openCache()
	for name, key := range c.keys {
		ctx, cancel := context.WithTimeout(c.t.Context(), lockBound)
		began := time.Now()
		unlock, err := d.Lock(ctx, key)
		cancel()
		if err != nil {
			c.t.Errorf("the lock of %s: %v", name, err)
			continue
		}
		unlock()
		c.longest = max(c.longest, time.Since(began))
	}
}

// wantQuiet is what must hold once nobody asks: a last kill leaves every lock free, and the next start no temporary
// file.
func (c *chaos) wantQuiet() {
	pid := c.nextDaemon()
	kill(pid)
	if !dead(pid, 10*time.Second) {
		c.t.Fatalf("the daemon, process %d, outlives SIGKILL", pid)
	}
	c.wantLocksFree(c.t)
	if entries := c.wantWhole(); entries < chaosProfiles {
		c.t.Errorf("%d entries of %d: every profile was asked for", entries, chaosProfiles)
	}
	for _, name := range c.names {
		c.book.ask(name, c.getByProcess)
	}
	if left := c.tempsAfter(5 * time.Second); len(left) > 0 {
		c.t.Errorf("after the last start there is still %v", left)
	}
	c.stopDaemon()
	log := c.logTail()
	for _, word := range []string{"panic", "fatal error", "in memory only", "cannot be read", "internal"} {
		if strings.Contains(log, word) {
			c.t.Errorf("a daemon said %q:\n%s", word, log)
		}
	}
}
