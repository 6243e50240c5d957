package daemon

import (
	"strings"
	"testing"
	"time"
)

func TestMetricsCountEveryAnswerByItsLayer(t *testing.T) {
	inService(t, nil, func(t *testing.T, s *service) {
		s.must(0)       // from STS
		s.must(0)       // from memory
		s.broker.Lock() // its refresher goes on, with nothing to do
		s.restart()
		s.server.Broker = s.broker
		s.must(0) // from disk
		s.sts.change(func(f *fakeSTS) { f.err = down })
		time.Sleep(110 * time.Minute)
		s.must(0) // the old one: STS is down

		r := s.ask("GET", "/metrics", "")
		if r.status != 200 {
			t.Fatalf("status %d: %s", r.status, r.body)
		}
		for _, want := range []string{
			`tcred_answers_total{layer="memory"} 0`, // the broker before the restart had that
			`tcred_answers_total{layer="disk"} 1`,
			`tcred_answers_total{layer="sts"} 0`,
			`tcred_answers_total{layer="old"} 1`,
			`tcred_renewal_failures_total{profile="p",code="` + string(down.Code) + `"} `,
			`tcred_credential_expiry_timestamp_seconds{profile="p"} `,
			`tcred_profile_last_use_timestamp_seconds{profile="p"} `,
			"tcred_sts_call_seconds_count 3", // one renewal, tried three times
			"tcred_goroutines ",
		} {
			if !strings.Contains(r.body, want) {
				t.Errorf("no %s in\n%s", want, r.body)
			}
		}
		for line := range strings.Lines(r.body) {
			if !strings.HasPrefix(line, "# ") && len(strings.Fields(line)) != 2 {
				t.Errorf("not a sample: %q", line)
			}
		}
	})
}

func TestTheRateLimiterSaysHowLongItHeldCallsBack(t *testing.T) {
	inWorld(t, 2*time.Hour, func(t *testing.T, w *world) {
		p := newPace(2, w.broker.meter)
		if took := p.burst(t, 4); took < time.Second {
			t.Fatalf("4 calls at 2 a second took %v", took)
		}
		if text := string(w.broker.Metrics(t.Context())); !strings.Contains(text, "tcred_sts_wait_seconds_count 2\n") {
			t.Error(text)
		}
	})
}
