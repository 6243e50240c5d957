package daemon

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/tcred/tcred/api"
	"github.com/tcred/tcred/internal/broker/brokertest"
)

func TestLockDropsWhatIsInMemory(t *testing.T) {
	inService(t, nil, func(t *testing.T, s *service) {
		s.Must(0)
		s.ok(http.MethodPost, api.PathLock, "", nil)
		s.STS.Change(func(f *brokertest.STS) { f.KeyErr = brokertest.Locked })
		s.MustFail(api.KeystoreLocked)
	})
}

func TestMetricsCountEveryAnswerByItsLayer(t *testing.T) {
	inService(t, nil, func(t *testing.T, s *service) {
		s.Must(0)       // from STS
		s.Must(0)       // from memory
		s.broker.Lock() // its refresher goes on, with nothing to do
		s.server.Broker = newBroker(s.World)
		s.Must(0) // from disk
		s.STS.Change(func(f *brokertest.STS) { f.Err = brokertest.Down })
		time.Sleep(110 * time.Minute)
		s.Must(0) // the old one: STS is down

		r := s.ask("GET", "/metrics", "")
		if r.status != 200 {
			t.Fatalf("status %d: %s", r.status, r.body)
		}
		for _, want := range []string{
			`tcred_answers_total{layer="memory"} 0`, // the broker before the restart had that
			`tcred_answers_total{layer="disk"} 1`,
			`tcred_answers_total{layer="sts"} 0`,
			`tcred_answers_total{layer="old"} 1`,
			`tcred_renewal_failures_total{profile="p",code="` + string(brokertest.Down.Code) + `"} `,
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
