package broker

import (
	"strconv"
	"time"
)

// testScale, set by the linker in the load tests' own builds alone, divides the refresh engine's constants, so that
// days pass in minutes. The budgets of single calls stay as they are.
var testScale string

func init() {
	if n, err := strconv.Atoi(testScale); err == nil && n > 0 {
		times = times.scaled(time.Duration(n))
	}
}

func (s schedule) scaled(n time.Duration) schedule {
	for _, d := range []*time.Duration{
		&s.Floor, &s.Ahead, &s.Look, &s.HoldTransient, &s.HoldPermanent, &s.RestFirst, &s.RestNone, &s.RestValid, &s.Sweep,
	} {
		*d /= n
	}
	return s
}
