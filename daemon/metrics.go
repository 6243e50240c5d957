package daemon

import (
	"bytes"
	"context"
	"fmt"
	"maps"
	"runtime"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/tcred/tcred/api"
)

// The layers that an answer may come from.
const (
	fromMemory = "memory"
	fromDisk   = "disk"
	fromSource = "sts"
	fromOld    = "old" // a credential past its time, because a new one failed
)

// meter counts what the broker does. It is safe for concurrent use.
type meter struct {
	mu       sync.Mutex
	hits     map[string]int64              // by layer
	renewals map[string]int64              // by profile
	failures map[string]map[api.Code]int64 // by profile
	calls    int64
	callTime time.Duration
	waits    int64
	waitTime time.Duration
}

func newMeter() *meter {
	return &meter{hits: make(map[string]int64), renewals: make(map[string]int64), failures: make(map[string]map[api.Code]int64)}
}

// total is how many calls of STS were made.
func (m *meter) total() int64 {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.calls
}

// hit counts an answer.
func (m *meter) hit(layer string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.hits[layer]++
}

// renewed counts a new credential.
func (m *meter) renewed(profile string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.renewals[profile]++
}

// failed counts a renewal that came to nothing.
func (m *meter) failed(profile string, code api.Code) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.failures[profile] == nil {
		m.failures[profile] = make(map[api.Code]int64)
	}
	m.failures[profile][code]++
}

// called counts a call of STS that took d.
func (m *meter) called(d time.Duration) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.calls++
	m.callTime += d
}

// waited counts a call that the rate limiter held back for d.
func (m *meter) waited(d time.Duration) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.waits++
	m.waitTime += d
}

// Metrics is everything counted since the daemon started, in Prometheus's text format.
func (b *Broker) Metrics(ctx context.Context) []byte {
	var p page
	profiles := b.Status(ctx)
	p.family("tcred_credential_expiry_timestamp_seconds", "gauge", "When the cached credential ends.")
	for _, s := range profiles {
		p.time("profile", s.Name, s.Expires)
	}
	p.family("tcred_profile_last_use_timestamp_seconds", "gauge", "When the profile was last asked for.")
	for _, s := range profiles {
		p.time("profile", s.Name, s.LastUse)
	}
	b.meter.write(&p)
	p.family("tcred_goroutines", "gauge", "Goroutines of the daemon.")
	p.sample(float64(runtime.NumGoroutine()))
	return p.text.Bytes()
}

func (m *meter) write(p *page) {
	m.mu.Lock()
	defer m.mu.Unlock()
	p.family("tcred_answers_total", "counter", "Credentials handed out, by where they came from.")
	for _, layer := range []string{fromMemory, fromDisk, fromSource, fromOld} {
		p.sample(float64(m.hits[layer]), "layer", layer)
	}
	p.family("tcred_renewals_total", "counter", "New credentials.")
	for _, name := range slices.Sorted(maps.Keys(m.renewals)) {
		p.sample(float64(m.renewals[name]), "profile", name)
	}
	p.family("tcred_renewal_failures_total", "counter", "Renewals that came to nothing, by error code.")
	for _, name := range slices.Sorted(maps.Keys(m.failures)) {
		for _, code := range slices.Sorted(maps.Keys(m.failures[name])) {
			p.sample(float64(m.failures[name][code]), "profile", name, "code", string(code))
		}
	}
	p.family("tcred_sts_call_seconds", "summary", "Calls of STS, failed ones too.")
	p.part("_sum", m.callTime.Seconds())
	p.part("_count", float64(m.calls))
	p.family("tcred_sts_wait_seconds", "summary", "Calls of STS that the daemon's own rate limit held back.")
	p.part("_sum", m.waitTime.Seconds())
	p.part("_count", float64(m.waits))
}

// page is a text in Prometheus's format. Label values are profile names and error codes, which need no escapes.
type page struct {
	text bytes.Buffer
	name string // of the family being written
}

func (p *page) family(name, kind, help string) {
	p.name = name
	fmt.Fprintf(&p.text, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, kind)
}

// sample writes a value with labels given as name, value, name, value…
func (p *page) sample(value float64, labels ...string) {
	var pairs []string
	for pair := range slices.Chunk(labels, 2) {
		pairs = append(pairs, fmt.Sprintf("%s=%q", pair[0], pair[1]))
	}
	set := ""
	if len(pairs) > 0 {
		set = "{" + strings.Join(pairs, ",") + "}"
	}
	fmt.Fprintf(&p.text, "%s%s %v\n", p.name, set, value)
}

func (p *page) part(suffix string, value float64) {
	fmt.Fprintf(&p.text, "%s%s %v\n", p.name, suffix, value)
}

// time writes a moment, unless it is unknown.
func (p *page) time(label, value string, t time.Time) {
	if !t.IsZero() {
		p.sample(float64(t.Unix()), label, value)
	}
}
