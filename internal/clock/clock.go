// Package clock waits, and ends waits, the way a daemon on a laptop must: with a context, and by both clocks.
package clock

import (
	"context"
	"time"
)

// Sleep waits for d and reports whether ctx lasted.
func Sleep(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}
