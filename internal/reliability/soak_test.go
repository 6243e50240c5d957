package reliability

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tcred/tcred/api"
	"github.com/tcred/tcred/credential"
	"github.com/tcred/tcred/emulator"
)

const (
	soakProfiles = 50
	soakClients  = 10
	soakThink    = 20 * time.Millisecond
	soakEvery    = 5 * time.Second // a sample
)

// soakLimits are how fast the daemon may grow, per minute.
var soakLimits = reading{rss: 1, fds: 0.5, goroutines: 0.5}

// soakFaults take turns, one before each sample.
var soakFaults = []emulator.Fault{
	{}, {Status: http.StatusBadGateway}, {Code: "RequestLimitExceeded"}, {Delay: 500 * time.Millisecond}, {Body: emulator.Cut},
}

// TestSoak looks for what leaks, under a modest load with faults, at a hundredfold pace:
//
//	TCRED_SOAK=10m go test -count=1 -v -timeout 15m -run TestSoak ./internal/reliability
func TestSoak(t *testing.T) {
	asked := os.Getenv("TCRED_SOAK")
	if asked == "" {
		t.Skip("minutes long: TCRED_SOAK=10m runs it")
	}
	length, err := time.ParseDuration(asked)
	if err != nil || length < time.Minute {
		t.Fatalf("TCRED_SOAK=%s is not a time of at least 1m", asked)
	}
	var settings strings.Builder
	names := make([]string, soakProfiles)
	for i := range names {
		names[i] = "soak" + letters(i)
		fmt.Fprintf(&settings, "[profiles.%s]\npolicy = \"full\"\n", names[i])
	}
	w := newWorld(t, scaled, settings.String())
	w.cloud.suffer(emulator.Fault{Lifetime: loadLife + credential.Margin})
	pid := w.start().Process.Pid

	b := newBook(w.cloud)
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	var turn sync.RWMutex // held for writing while a sample is taken: clients wait
	clients := soakers(ctx, w, b, &turn, names)
	samples := w.sample(t, &turn, pid, length)
	stop()
	clients.Wait()

	grown := slopes(samples[len(samples)/5:])
	first, last, got := samples[len(samples)/5], samples[len(samples)-1], b.tally()
	figures := fmt.Sprintf(`soak of %s: %d calls, %d of STS; of the last 80 %% of %d samples, first, last and slope a minute:
  RSS %.1f MiB, %.1f, %+.3f (limit %+.1f); file descriptors %.0f, %.0f, %+.3f (%+.1f); goroutines %.0f, %.0f, %+.3f (%+.1f)
`, length, got.answered, w.cloud.Calls(""), len(samples), first.rss, last.rss, grown.rss, soakLimits.rss,
		first.fds, last.fds, grown.fds, soakLimits.fds, first.goroutines, last.goroutines, grown.goroutines, soakLimits.goroutines)
	fmt.Print(figures)
	t.Log(figures)
	if grown.rss > soakLimits.rss || grown.fds > soakLimits.fds || grown.goroutines > soakLimits.goroutines {
		t.Error("the daemon grows")
	}
	if bad := got.failed + got.wronged + got.expired + got.foreign; bad > 0 {
		t.Errorf("%d bad answers: %q", bad, got.samples)
	}
}

// soakers are clients that ask and think; one more is rude.
func soakers(ctx context.Context, w *world, b *book, turn *sync.RWMutex, names []string) *sync.WaitGroup {
	var clients sync.WaitGroup
	loop := func(ask func(name string)) {
		clients.Go(func() {
			for ctx.Err() == nil {
				turn.RLock()
				ask(names[rand.IntN(len(names))])
				turn.RUnlock()
				time.Sleep(soakThink)
			}
		})
	}
	for range soakClients {
		loop(func(name string) { b.ask(name, w.get) })
	}
	loop(w.hangUp)
	return &clients
}

// hangUp begins a request and goes away: in the middle of it, or without reading the answer.
func (w *world) hangUp(name string) {
	c, err := net.Dial("unix", w.socket)
	if err != nil {
		return
	}
	defer c.Close()
	request := "GET " + api.PathCredentials + name + " HTTP/1.1\r\nHost: tcred\r\n\r\n"
	io.WriteString(c, request[:len(request)-rand.IntN(2)*20]) // rude
}

// reading is one sample of the daemon, or its slopes a minute.
type reading struct {
	at                   time.Time
	rss, fds, goroutines float64 // rss in MiB
}

// sample reads the daemon every soakEvery, each time after a fault, a moment of health and a moment of quiet.
func (w *world) sample(t *testing.T, turn *sync.RWMutex, pid int, length time.Duration) []reading {
	var samples []reading
	for i := 0; i < int(length/soakEvery); i++ {
		next := time.Now().Add(soakEvery)
		fault := soakFaults[i%len(soakFaults)]
		fault.Lifetime = loadLife + credential.Margin
		w.cloud.suffer(fault)
		time.Sleep(soakEvery * 3 / 5)
		w.cloud.suffer(emulator.Fault{Lifetime: fault.Lifetime})
		time.Sleep(time.Until(next) - soakEvery/10)
		turn.Lock()
		time.Sleep(time.Until(next))
		r, err := w.read(pid)
		turn.Unlock()
		if err != nil {
			t.Fatalf("the daemon cannot be read: %v", err)
		}
		samples = append(samples, r)
	}
	return samples
}

// read takes one sample: memory and files as the system counts them, goroutines as the daemon does.
func (w *world) read(pid int) (reading, error) {
	proc := filepath.Join("/proc", strconv.Itoa(pid))
	status, err := os.ReadFile(filepath.Join(proc, "status"))
	if err != nil {
		return reading{}, err
	}
	files, err := os.ReadDir(filepath.Join(proc, "fd")) // root's alone: the daemon hides from debuggers
	if err != nil {
		return reading{}, err
	}
	metrics, err := w.metrics()
	if err != nil {
		return reading{}, err
	}
	rss, err := number(string(status), "VmRSS:")
	if err != nil {
		return reading{}, err
	}
	goroutines, err := number(metrics, "\ntcred_goroutines ")
	return reading{time.Now(), rss / 1024, float64(len(files)), goroutines}, err
}

// metrics is what GET /metrics says.
func (w *world) metrics() (string, error) {
	dial := func(ctx context.Context, _, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "unix", w.socket)
	}
	web := http.Client{Transport: &http.Transport{DialContext: dial, DisableKeepAlives: true}, Timeout: 10 * time.Second}
	answer, err := web.Get("http://tcred" + api.PathMetrics)
	if err != nil {
		return "", err
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	return string(text), err
}

// number is the first one behind label in text.
func number(text, label string) (float64, error) {
	_, rest, ok := strings.Cut(text, label)
	fields := strings.Fields(rest)
	if !ok || len(fields) == 0 {
		return 0, fmt.Errorf("no %q", label)
	}
	return strconv.ParseFloat(fields[0], 64)
}

// slopes are the least-squares ones, a minute.
func slopes(samples []reading) reading {
	slope := func(value func(reading) float64) float64 {
		var n, x, y, xx, xy float64
		for _, s := range samples {
			at, v := s.at.Sub(samples[0].at).Minutes(), value(s)
			n, x, y, xx, xy = n+1, x+at, y+v, xx+at*at, xy+at*v
		}
		return (n*xy - x*y) / (n*xx - x*x)
	}
	return reading{
		rss:        slope(func(r reading) float64 { return r.rss }),
		fds:        slope(func(r reading) float64 { return r.fds }),
		goroutines: slope(func(r reading) float64 { return r.goroutines }),
	}
}
