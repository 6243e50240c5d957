package broker

import (
	"fmt"
	"time"

	"github.com/tcred/tcred/api"
)

// ParseMinTTL reads the least life that a caller asks for, such as "20m"; "" is none, 0. The error has the code
// api.BadRequest.
func ParseMinTTL(text string) (time.Duration, error) {
	if text == "" {
		return 0, nil
	}
	d, err := time.ParseDuration(text)
	if err != nil || d <= 0 {
		return 0, &api.Error{Code: api.BadRequest, Message: fmt.Sprintf("min-ttl %.80q is not a time such as 20m or 1h30m", text)}
	}
	return d, nil
}
