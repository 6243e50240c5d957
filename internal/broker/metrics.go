package broker

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
)

// The layers that an answer may come from.
const (
	fromMemory = "memory"
	fromDisk   = "disk"
	fromSource = "sts"
	fromOld    = "old" // a credential past its time, because a new one failed
)

// answered is the sample that counts a layer's answers.
func answered(layer string) string { return answers + `{layer="` + layer + `"}` }

// meter holds what the broker counts: samples of Prometheus's, by their line without the value, such as
// tcred_answers_total{layer="disk"}. It is safe for concurrent use.
type meter struct {
	mu     sync.Mutex
	counts map[string]float64
}

func newMeter() *meter {
	m := &meter{counts: make(map[string]float64)}
	for _, layer := range []string{fromMemory, fromDisk, fromSource, fromOld} {
		m.counts[answered(layer)] = 0
	}
	for _, name := range []string{callTime, callCount, waitTime, waitCount} {
		m.counts[name] = 0
	}
	return m
}

// The names of what is counted.
const (
	answers   = "tcred_answers_total"
	renewals  = "tcred_renewals_total"
	failures  = "tcred_renewal_failures_total"
	calls     = "tcred_sts_call_seconds"
	callTime  = calls + "_sum"
	callCount = calls + "_count"
	waits     = "tcred_sts_wait_seconds"
	waitTime  = waits + "_sum"
	waitCount = waits + "_count"
)

// count counts one more of a sample.
func (m *meter) count(line string) { m.add(line, 1) }

func (m *meter) add(line string, n float64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.counts[line] += n
}

// took counts something that took d.
func (m *meter) took(d time.Duration, sum, count string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.counts[sum] += d.Seconds()
	m.counts[count]++
}

func (m *meter) of(line string) float64 {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.counts[line]
}

// write writes every sample of a family, sorted.
func (m *meter) write(out *bytes.Buffer, family string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, line := range slices.Sorted(maps.Keys(m.counts)) {
		if rest, ok := strings.CutPrefix(line, family); ok && (rest == "" || rest[0] == '{' || rest[0] == '_') {
			fmt.Fprintf(out, "%s %v\n", line, m.counts[line])
		}
	}
}

// sample is a sample's line without its value, of labels given as name, value, name, value…. Label values are profile
// names and error codes, which need no escapes.
func sample(name string, labels ...string) string {
	var pairs []string
	for pair := range slices.Chunk(labels, 2) {
		pairs = append(pairs, fmt.Sprintf("%s=%q", pair[0], pair[1]))
	}
	if len(pairs) == 0 {
		return name
	}
	return name + "{" + strings.Join(pairs, ",") + "}"
}

// Metrics is everything counted since the daemon started, in Prometheus's text format.
func (b *Broker) Metrics(ctx context.Context) []byte {
	now := newMeter()
	profiles := b.Status(ctx)
	for _, s := range profiles {
		now.time("tcred_credential_expiry_timestamp_seconds", s.Name, s.Expires)
		now.time("tcred_profile_last_use_timestamp_seconds", s.Name, s.LastUse)
	}
	now.add("tcred_goroutines", float64(runtime.NumGoroutine()))
	var out bytes.Buffer
	for _, f := range []struct {
		from             *meter
		name, kind, help string
	}{
		{now, "tcred_credential_expiry_timestamp_seconds", "gauge", "When the cached credential ends."},
		{now, "tcred_profile_last_use_timestamp_seconds", "gauge", "When the profile was last asked for."},
		{b.meter, answers, "counter", "Credentials handed out, by where they came from."},
		{b.meter, renewals, "counter", "New credentials."},
		{b.meter, failures, "counter", "Renewals that came to nothing, by error code."},
		{b.meter, calls, "summary", "Calls of STS, failed ones too."},
		{b.meter, waits, "summary", "Calls of STS that the daemon's own rate limit held back."},
		{now, "tcred_goroutines", "gauge", "Goroutines of the daemon."},
	} {
		fmt.Fprintf(&out, "# HELP %s %s\n# TYPE %s %s\n", f.name, f.help, f.name, f.kind)
		f.from.write(&out, f.name)
	}
	return out.Bytes()
}

// time sets a profile's moment, unless it is unknown.
func (m *meter) time(name, profile string, t time.Time) {
	if !t.IsZero() {
		m.add(sample(name, "profile", profile), float64(t.Unix()))
	}
}
