//go:build timescale

package broker

import "time"

// timeScale divides the refresh engine's constants, so that days pass in minutes. The budgets of single calls stay as
// they are. Only the load tests build with this file, and they count on the number: loadScale in internal/reliability.
const timeScale = 100

func init() {
	for _, d := range []*time.Duration{
		&times.Floor, &times.Ahead, &times.Look, &times.HoldTransient, &times.HoldPermanent,
		&times.RestFirst, &times.RestNone, &times.RestValid, &times.Sweep,
	} {
		*d /= timeScale
	}
}
