package reliability

import (
	"fmt"
	"time"

	"github.com/tcred/tcred/credential"
)

// span is a stretch of time.
type span struct{ from, to time.Time }

// audit is what the calls of STS come to, and the most that they may.
type audit struct {
	seen     int // calls that reached STS
	renewals int // of these, those that brought a credential
	early    int // of these, those that came before one was due
	steps    int // the most that may have failed, one for each step of backoff
	unseen   int // the most that may have been refused a connection
	samples  []string
}

// The schedule of daemon/times.go at loadScale, each time at its shortest. The sleeps between the three tries of one
// renewal are not scaled: 300 and 600 ms, jittered down to their halves.
const (
	tries     = 3
	flight    = 450 * time.Millisecond
	restFirst = 5 * time.Second / loadScale
	restValid = 5 * time.Minute / loadScale
	hold      = 2 * time.Second / loadScale
	floorLeft = 15 * time.Minute / loadScale
	late      = 250 * time.Millisecond // that a call may arrive after it was sent, when the machine is short of time
	soonest   = 0.45                   // of a life: half of it, early by the whole jitter
)

// auditCalls works the bound out from the calls that STS saw of each profile, and from when it refused connections.
//
// Between one credential and the next, renewals begin at the soonest age: a call before that is needless, and an error
// by itself. The age goes by what the daemon said of the credential when it handed it out, not by when its call
// arrived, which may be late. If the first try fails, more follow by the steps of backoff (see flights): as many as fit
// between the first and the last call that STS saw fail. A profile with more failures than that is an error too.
// Refused connections STS cannot see: there the steps are counted from when the renewal could be due, and never more
// than the daemon's ceiling lets out.
func auditCalls(byName map[string][]call, refused span, end time.Time) audit {
	var a audit
	for name, calls := range byName {
		a.seen += len(calls)
		var gap gap
		for _, c := range calls {
			if c.at.Before(gap.due) {
				a.early++
				a.sample("%s: a call %s before it was due", name, gap.due.Sub(c.at))
			}
			if c.failed() {
				gap.fail(c.at)
				continue
			}
			a.settle(name, gap, c.at, refused)
			a.renewals++
			gap = newGap(c.cred)
		}
		a.settle(name, gap, end, refused)
	}
	a.unseen = min(a.unseen, loadCeiling*int(2+refused.to.Sub(refused.from)/time.Second))
	return a
}

// gap is the time between one credential of a profile and the next.
type gap struct {
	due, floor time.Time // when the renewal may begin, and when callers wait for it; the zero times: nobody had the credential
	failing    span      // from the first call that STS saw fail to the last
	failed     int
}

func newGap(c credential.Credential) gap {
	if c.Expires.IsZero() {
		return gap{}
	}
	return gap{due: c.Issued.Add(time.Duration(soonest * float64(c.Duration()))), floor: c.Expires.Add(-floorLeft)}
}

func (g *gap) fail(at time.Time) {
	if g.failed++; g.failed == 1 {
		g.failing.from = at
	}
	g.failing.to = at
}

// settle adds up a gap that ended at until.
func (a *audit) settle(name string, g gap, until time.Time, refused span) {
	steps := 0
	if g.failed > 0 {
		steps = tries * flights(g.failing.from.Add(-late), g.failing.to.Add(1), g.floor)
	}
	if g.failed > steps {
		a.sample("%s: %d calls failed in %s, at most %d may", name, g.failed, g.failing.to.Sub(g.failing.from), steps)
	}
	a.steps += steps
	from, to := refused.from, refused.to
	if g.due.After(from) {
		from = g.due
	}
	if until.Before(to) {
		to = until
	}
	a.unseen += tries * flights(from, to, g.floor)
}

// flights is how many renewals may fail one after the other between from and to. Each makes all its tries. While nobody
// waits for it, the next one rests 5 s, doubled each time up to 5 min, scaled; once callers do, it comes 2 s later,
// scaled.
func flights(from, to, floor time.Time) int {
	n := 0
	for at, rest := from, restFirst; at.Before(to); n++ {
		at = at.Add(flight)
		if at.Add(rest).Before(floor) {
			at = at.Add(rest)
		} else {
			at = at.Add(hold)
		}
		rest = min(2*rest, restValid)
	}
	return n
}

func (a *audit) sample(format string, args ...any) {
	if len(a.samples) < 10 {
		a.samples = append(a.samples, fmt.Sprintf(format, args...))
	}
}
