package broker

import (
	"strings"
	"testing"
	"time"
)

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
