//go:build unix

package cli

import (
	"time"

	"github.com/tcred/tcred/api"
	"github.com/tcred/tcred/internal/place/dirs"
	"github.com/tcred/tcred/internal/socket"
)

// detachDaemon is "tcred daemon --background": it leaves a daemon behind and ends as soon as that one listens, or gave
// way to one that runs, with status 0, or ended, with its status.
func (a *app) detachDaemon() error {
	p, err := dirs.Find()
	if err != nil {
		return err
	}
	args := []string{"daemon", "--detached"}
	if a.debug {
		args = append(args, "--debug")
	}
	status, err := socket.Detach(args, time.Now().Add(api.ClientTimeout))
	if err == nil {
		return nil
	}
	a.daemonLog(p, true).Error("no daemon in the background", "err", err)
	if status == 0 {
		return err
	}
	a.exit(err) // says it
	return exitStatus(status)
}

// ready tells the process that detached this one that it listens.
func ready() { socket.Ready() }
