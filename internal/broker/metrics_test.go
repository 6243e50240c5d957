package broker

import (
	"strings"
	"testing"
	"time"
)

func TestTheRateLimiterSaysHowLongItHeldCallsBack(t *testing.T) {
	inWorld(t, 2*time.Hour, func(t *testing.T, w *world) {
		p := pace{own: newWindow(2), meter: w.broker.meter}
		if took := p.burst(t, 6); took < 2*time.Second {
			t.Fatalf("6 calls at 2 a second took %v", took)
		}
		if text := string(w.broker.Metrics(t.Context())); !strings.Contains(text, "tcred_sts_wait_seconds_count 2\n") {
			t.Error(text)
		}
	})
}
