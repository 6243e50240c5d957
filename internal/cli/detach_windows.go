package cli

import (
	"github.com/tcred/tcred/api"
	"github.com/tcred/tcred/internal/socket"
)

// detachDaemon fails: nothing starts a daemon in the background on Windows yet.
func (a *app) detachDaemon() error {
	return &api.Error{
		Code: api.NoDaemon, Message: "the daemon is not available on windows yet",
		Hint: "use --no-daemon: tcred get --no-daemon", Cause: socket.ErrNotListening,
	}
}

func ready() {}
