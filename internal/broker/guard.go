package broker

import (
	"log/slog"
	"runtime/debug"

	"github.com/tcred/tcred/api"
)

// Guard calls f, and makes a panic in it an error and a line in the log: a defect met by one request, or in what
// STS answered to one profile, must not end the daemon for the others.
func Guard[T any](log *slog.Logger, f func() (T, error)) (v T, err error) {
	defer func() {
		if r := recover(); r != nil {
			log.Error("panic", "value", r, "stack", string(debug.Stack()))
			err = &api.Error{Code: api.Internal, Message: "a defect in tcred ended this request", Hint: "tcred logs tells where"}
		}
	}()
	return f()
}
