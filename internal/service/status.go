package service

import (
	"context"
	"fmt"

	"github.com/tcred/tcred/api"
	"github.com/tcred/tcred/client"
)

// Status is how the service is.
type Status struct {
	Manager string      // "systemd" or "launchd"
	Files   []string    // what it is made of; none if it is not installed
	States  [][2]string // names of its parts, each with the manager's word for its state
	PID     int         // of the daemon that the service runs; 0 while it runs none
	Daemon  string      // what that daemon says of itself; "" while the service runs none
	Due     string      // the command to run next, and why; "" if nothing is due
}

// Status is how the service is. It starts nothing.
func (s *Service) Status(ctx context.Context) (Status, error) {
	st, err := s.manager.status(ctx)
	if err != nil || st.PID == 0 { // to ask a daemon that does not run would start it
		return st, err
	}
	running, err := new(client.Client).Status(ctx)
	switch {
	case err != nil:
		st.Daemon = fmt.Sprintf("does not answer: %v", err)
	case running.PID != st.PID:
		st.Daemon = fmt.Sprintf("process %d answers on %s, not the service's %d", running.PID, running.Socket, st.PID)
		st.Due = "tcred service install: another daemon took the socket"
	default:
		st.Daemon = fmt.Sprintf("version %s, process %d", running.Version, running.PID)
		if running.Version != api.Version {
			st.Due = "tcred service restart: the daemon is version " + running.Version + ", this is " + api.Version
		}
	}
	return st, nil
}
