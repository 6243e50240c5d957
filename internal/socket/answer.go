package socket

import (
	"os"

	"github.com/tcred/tcred/api"
	"github.com/tcred/tcred/internal/human"
)

// ErrNoAnswer means that the connection ended before the answer's first byte. That daemon may have been about to stop:
// what changes nothing may be asked once more.
var ErrNoAnswer = &api.Error{
	Code: api.NoDaemon, Message: "the daemon ended the connection without an answer", Hint: "see tcred logs",
}

// Unanswered is the error for a daemon that took a connection and did not answer on it in time: it hangs, for each
// request is answered within api.AnswerTimeout. pid is the process that listens, 0 if it is not known.
func Unanswered(pid int) *api.Error {
	e := &api.Error{
		Code: api.Timeout, Message: "the daemon did not answer in time", Hint: "tcred daemon stop, which ends it; then try again",
		Cause: os.ErrDeadlineExceeded,
	}
	switch {
	case pid > 0 && NameOf(pid) == "systemd": // it made the socket; the daemon is another process
		e.Hint = "tcred service restart; then try again"
	case pid > 0:
		e.Message = "the daemon, process " + human.Itoa(pid, 10) + ", did not answer in time"
	}
	return e
}

// BrokenOff is the error for an answer of which only a part came.
func BrokenOff(cause error) error {
	return &api.Error{
		Code: api.NoDaemon, Message: "the daemon's answer broke off", Hint: "try again; see tcred logs if it stays so",
		Cause: cause,
	}
}

// Foreign is the error for an answer that no daemon of this version gives. named is the version that it named, "" if
// none is known.
func Foreign(what, named string, cause error) error {
	hint := "another program on that socket? tcred doctor"
	switch named {
	case api.Version:
	case "":
		hint = "another version, or another program on that socket? tcred doctor"
	default:
		hint = "the daemon is version " + named + ", this is " + api.Version + ": tcred daemon stop"
	}
	return &api.Error{
		Code: api.Internal, Message: "the answer on the socket is not the daemon's: " + what, Hint: hint, Cause: cause,
	}
}
