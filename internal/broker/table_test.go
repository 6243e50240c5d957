package broker

import (
	"testing"
	"time"

	"github.com/tcred/tcred/api"
	"github.com/tcred/tcred/internal/broker/brokertest"
)

// TestAnswers is the algorithm as a table: a tool asks for a profile of 2h whose credential was issued so long ago.
// STS takes a second to answer; a flight tries thrice where a failure may pass.
func TestAnswers(t *testing.T) {
	const (
		h, m   = time.Hour, time.Minute
		atOnce = "old, at once" // without waiting for STS
		old    = "old"
		fresh  = "new"
	)
	sleep8h := func(w *world) { w.Sleep(8 * h) }
	step := func(d time.Duration) func(*world) { return func(w *world) { w.Step(d) } }
	slow := func(w *world) { w.STS.Change(func(f *brokertest.STS) { f.Latency = 12 * time.Second }) }

	for _, row := range []struct {
		name   string
		age    time.Duration
		event  func(*world)
		sts    error
		minTTL time.Duration
		want   string // old, new or an error's code
		calls  int    // of STS, a minute later
	}{
		{"fresh", 30 * m, nil, nil, 0, atOnce, 0},
		{"fresh while STS is down", 30 * m, nil, brokertest.Down, 0, atOnce, 0},
		{"past half: refreshed behind", 61 * m, nil, nil, 0, atOnce, 1},
		{"past half while STS is down", 61 * m, nil, brokertest.Down, 0, atOnce, 3},
		{"past half, not allowed any more", 61 * m, nil, brokertest.Denied, 0, atOnce, 1},
		{"under 15 minutes: worth a wait", 105 * m, nil, nil, 0, fresh, 1},
		{"under 15 minutes while STS is down", 105 * m, nil, brokertest.Down, 0, old, 3},
		{"under 15 minutes, throttled", 105 * m, nil, brokertest.Slowly, 0, old, 3},
		{"under 15 minutes, not allowed any more", 105 * m, nil, brokertest.Denied, 0, old, 1},
		{"under 15 minutes, keystore locked", 105 * m, nil, brokertest.Locked, 0, old, 1},
		{"under 15 minutes, STS hangs", 105 * m, slow, nil, 0, old, 1},
		{"a second before expiry while STS hangs", 119*m - time.Second, slow, nil, 0, "timeout", 1},
		{"expired", 120 * m, nil, nil, 0, fresh, 1},
		{"expired while STS is down", 120 * m, nil, brokertest.Down, 0, "unreachable", 3},
		{"expired, not allowed any more", 120 * m, nil, brokertest.Denied, 0, "sts_permission", 1},
		{"expired, STS hangs", 120 * m, slow, nil, 0, "timeout", 1},

		{"min_ttl that is met", 30 * m, nil, nil, 60 * m, atOnce, 0},
		{"min_ttl that is met past half", 61 * m, nil, nil, 30 * m, atOnce, 1},
		{"min_ttl that a new one meets", 61 * m, nil, nil, 90 * m, fresh, 1},
		{"min_ttl while STS is down", 61 * m, nil, brokertest.Down, 90 * m, "min_ttl_unmet", 3},
		{"min_ttl while STS hangs", 61 * m, slow, nil, 90 * m, "min_ttl_unmet", 1},
		{"min_ttl that the old one still meets", 105 * m, nil, brokertest.Down, 5 * m, old, 3},
		{"min_ttl longer than any life", 30 * m, nil, nil, 2 * h, "bad_request", 0},

		{"8h of sleep", 30 * m, sleep8h, nil, 0, fresh, 1},
		{"8h of sleep, STS is down", 30 * m, sleep8h, brokertest.Down, 0, "unreachable", 3},
		{"clock an hour on, early", 30 * m, step(h), nil, 0, atOnce, 1},
		{"clock an hour on, late", 70 * m, step(h), nil, 0, fresh, 1},
		{"clock an hour on, late, STS is down", 70 * m, step(h), brokertest.Down, 0, "unreachable", 3},
		{"clock an hour back, to before the issue", 30 * m, step(-h), nil, 0, fresh, 1},
		{"the same while STS is down", 30 * m, step(-h), brokertest.Down, 0, old, 3},
		{"clock an hour back at 1.5h", 90 * m, step(-h), nil, 0, atOnce, 1},
		{"the same while STS is down", 90 * m, step(-h), brokertest.Down, 0, atOnce, 3},
		{"clock an hour back, under 15 minutes", 105 * m, step(-h), nil, 0, fresh, 1},
		{"the same while STS is down", 105 * m, step(-h), brokertest.Down, 0, old, 3},
		{"clock an hour back, expired", 120 * m, step(-h), nil, 0, fresh, 1},
		{"the same while STS is down", 120 * m, step(-h), brokertest.Down, 0, "unreachable", 3},
	} {
		t.Run(row.name, func(t *testing.T) {
			inWorld(t, 2*h, func(t *testing.T, w *world) {
				first := w.Must(0)
				w.WantCalls(1)
				time.Sleep(row.age)
				if row.event != nil {
					row.event(w)
				}
				if row.sts != nil {
					w.STS.Fail(row.sts)
				}
				start := time.Now()
				c, err := w.Get(row.minTTL)
				waited := time.Since(start)
				got := fresh
				switch {
				case err != nil:
					got = string(api.CodeOf(err))
				case c.SecretID == first.SecretID && waited == 0:
					got = atOnce
				case c.SecretID == first.SecretID:
					got = old
				}
				if got != row.want {
					t.Errorf("answer: %s (%v), want %s", got, err, row.want)
				}
				if waited > 9*time.Second {
					t.Errorf("the caller waited %v", waited)
				}
				time.Sleep(time.Minute)
				w.WantCalls(row.calls)
			})
		})
	}
}
