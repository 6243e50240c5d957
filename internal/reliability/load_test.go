package reliability

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tcred/tcred/credential"
	"github.com/tcred/tcred/emulator"
)

const (
	loadScale    = 100 // of the binaries that are built with the tag timescale: internal/broker/scale.go
	loadProfiles = 1000
	loadClients  = 200
	loadHelpers  = 4   // of the clients, those that are a process each time
	loadCeiling  = 500 // calls of STS a second: high enough that backoff, not the ceiling, keeps calls few

	// loadLife is how long a credential can be used, and stands for 2 hours. STS says a minute more: that margin is
	// taken off unscaled.
	loadLife   = 2 * time.Hour / loadScale
	loadSpread = loadLife / 2 // before the faults begin
)

// loadScript is what happens to STS, in two minutes. The last outage is longer than what is left of many credentials
// when it begins: those run out, the calls for them fail, and come back after it.
var loadScript = []struct {
	what  string
	last  time.Duration
	fault emulator.Fault
	down  bool
}{
	{"500", 8 * time.Second, emulator.Fault{Status: http.StatusInternalServerError}, false},
	{"calm", 4 * time.Second, emulator.Fault{}, false},
	{"throttling", 8 * time.Second, emulator.Fault{Code: "RequestLimitExceeded"}, false},
	{"calm", 8 * time.Second, emulator.Fault{}, false},
	{"latency", 8 * time.Second, emulator.Fault{Delay: 700 * time.Millisecond}, false},
	{"calm", 2 * time.Second, emulator.Fault{}, false},
	{"cut bodies", 8 * time.Second, emulator.Fault{Body: emulator.Cut}, false},
	{"calm", 4 * time.Second, emulator.Fault{}, false},
	{"refused", 60 * time.Second, emulator.Fault{}, true},
	{"calm", 10 * time.Second, emulator.Fault{}, false},
}

// TestLoad asks one daemon for a thousand profiles from two hundred clients in a closed loop, while STS fails in turn
// in every way it knows. Time is scaled: what goes by the life of a credential runs a hundred times as fast, while the
// budgets of one call, the 300 ms between its tries, and the ceiling of calls a second stay as they are. The ceiling is
// therefore raised: 1,000 profiles that are due every 36 s are 28 calls a second.
func TestLoad(t *testing.T) {
	needReal(t)
	var settings strings.Builder
	fmt.Fprintf(&settings, "sts_rate = %d\n", loadCeiling)
	names := make([]string, loadProfiles)
	for i := range names {
		names[i] = "load" + letters(i)
		fmt.Fprintf(&settings, "[profiles.%s]\npolicy = \"full\"\n", names[i])
	}
	w := newWorld(t, scaled, settings.String())
	w.cloud.suffer(emulator.Fault{Lifetime: loadLife + credential.Margin})
	w.start()

	b := newBook(w.cloud)
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	clients := startClients(ctx, w, b, names)
	time.Sleep(loadSpread + 4*time.Second) // and each of the last ones is asked for too
	refused := w.play(t, b)
	stop()
	clients.Wait()
	status, err := w.client.Status(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	report(t, b, auditCalls(w.cloud.byName(), refused, time.Now()), int(status.STSCalls))
}

// letters spells i in letters: a federated user's name has no digits.
func letters(i int) string {
	return string([]byte{'a' + byte(i/676%26), 'a' + byte(i/26%26), 'a' + byte(i%26)})
}

// startClients starts them all; each asks for a random profile as soon as it has an answer. First they know few
// profiles, and all after loadSpread: renewals that begin together would stay together, and meet one fault alone.
func startClients(ctx context.Context, w *world, b *book, names []string) *sync.WaitGroup {
	var clients sync.WaitGroup
	begun := time.Now()
	some := func() int {
		return 1 + int(min(1, time.Since(begun).Seconds()/loadSpread.Seconds())*float64(len(names)-1))
	}
	for i := range loadClients {
		get := w.get
		if i < loadHelpers {
			get = w.getByHelper
		}
		clients.Go(func() {
			for ctx.Err() == nil {
				b.ask(names[rand.IntN(some())], get)
			}
		})
	}
	return &clients
}

// getByHelper asks as a tool does: by a process.
func (w *world) getByHelper(profile string) (credential.Credential, error) {
	var said strings.Builder
	cmd := w.command(context.Background(), "tcred-helper", "--format", "cos", profile)
	cmd.Stderr = &said
	out, err := cmd.Output()
	if err != nil {
		return credential.Credential{}, fmt.Errorf("%w: %s", err, said.String())
	}
	return credential.DecodeCOS(out)
}

// play goes through the script, and returns when connections were refused. TCRED_LOAD=1m plays it faster.
func (w *world) play(t *testing.T, b *book) (refused span) {
	quicker := 1.0
	if d, err := time.ParseDuration(os.Getenv("TCRED_LOAD")); err == nil {
		quicker = d.Minutes() / 2
	}
	for _, act := range loadScript {
		act.fault.Lifetime = loadLife + credential.Margin
		w.cloud.suffer(act.fault)
		if act.down {
			w.cloud.close()
			refused.from = time.Now()
		}
		before := b.tally()
		time.Sleep(time.Duration(quicker * float64(act.last)))
		if act.down {
			refused.to = time.Now()
			if err := w.cloud.open(); err != nil {
				t.Error(err)
			}
		}
		after := b.tally()
		t.Logf("%-10s %3.0f s: %7d calls answered, %d failed with no valid credential", act.what, quicker*act.last.Seconds(),
			after.answered-before.answered, after.failed-before.failed)
	}
	return refused
}

// report prints the three figures and fails the test where they are not what was promised.
func report(t *testing.T, b *book, a audit, calls int) {
	got := b.tally()
	bound := a.renewals + a.steps + a.unseen
	figures := fmt.Sprintf(`%d profiles, %d clients: %d calls answered, %d failed when no valid credential was left
  failed although a valid credential existed: %d
  expired served: %d, foreign served: %d
  STS calls: %d, at most %d may be: %d renewals + %d steps of backoff + %d while connections were refused
    reached STS: %d; before they were due: %d
`, loadProfiles, loadClients, got.answered, got.failed, got.wronged, got.expired, got.foreign,
		calls, bound, a.renewals, a.steps, a.unseen, a.seen, a.early)
	fmt.Print(figures)
	t.Log(figures)
	for _, line := range slices.Concat(got.samples, a.samples) {
		t.Error(line)
	}
	if bad := got.wronged + got.expired + got.foreign + a.early; bad > 0 || calls > bound || a.seen > a.renewals+a.steps {
		t.Error("not as promised: see the figures")
	}
	if got.answered < 10*loadProfiles || a.renewals < 2*loadProfiles {
		t.Error("too little happened to show anything")
	}
}
