package broker

import (
	"strings"
	"testing"
	"time"

	"github.com/tcred/tcred/api"
)

func TestTheLeastLifeIsATimeAboveZero(t *testing.T) {
	for text, want := range map[string]time.Duration{"": 0, "20m": 20 * time.Minute, "1h30m": 90 * time.Minute} {
		if got, err := ParseMinTTL(text); got != want || err != nil {
			t.Errorf("%q: %v, %v", text, got, err)
		}
	}
	for _, text := range []string{"20", "0s", "-1m", "x", strings.Repeat("9", 5000)} {
		got, err := ParseMinTTL(text)
		if got != 0 || api.CodeOf(err) != api.BadRequest || len(err.Error()) > 200 {
			t.Errorf("%.20q: %v, %.300v", text, got, err)
		}
	}
}

func TestAnOldCredentialIsCountedAsOne(t *testing.T) {
	inWorld(t, 2*time.Hour, func(t *testing.T, w *world) {
		w.Must(0)
		time.Sleep(110 * time.Minute)
		w.STS.Fail(&api.Error{Code: api.Unreachable, Message: "down"})
		w.Must(0)
		if text := string(w.broker.Metrics(t.Context())); !strings.Contains(text, "\ntcred_answers_total{layer=\"old\"} 1\n") {
			t.Error(text)
		}
	})
}
