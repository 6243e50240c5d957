package service

import (
	"context"
	"os"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/gofrs/flock"

	"github.com/tcred/tcred/api"
	"github.com/tcred/tcred/client"
	"github.com/tcred/tcred/internal/place"
	"github.com/tcred/tcred/internal/socket"
)

// DaemonStatus asks the daemon how it is, by c, a client that starts none. Where none runs and systemd listens in
// its place, to ask would start it: there, too, the error is [socket.ErrNotListening].
func DaemonStatus(ctx context.Context, c *client.Client) (api.Status, error) {
	if systemdWaits(ctx) {
		return api.Status{}, &api.Error{
			Code: api.NoDaemon, Cause: socket.ErrNotListening,
			Message: "systemd listens, and starts it at the first call",
		}
	}
	return c.Status(ctx)
}

// HasKeystoreOpen reports whether a daemon that runs has the file keystore open.
func HasKeystoreOpen(ctx context.Context) bool {
	st, err := DaemonStatus(ctx, new(client.Client))
	return err == nil && st.Keystore == "file" && st.KeystoreProblem == nil
}

// CanReadKeys is why the daemon that runs cannot read keys now, nil if it can. It only asks for the status: to unlock,
// even with no passphrase, would make the daemon forget what failed last.
func CanReadKeys(ctx context.Context) error {
	st, err := DaemonStatus(ctx, new(client.Client))
	if err == nil && st.KeystoreProblem != nil {
		err = st.KeystoreProblem.Err()
	}
	return err
}

// systemdWaits reports whether systemd listens on our socket for a service that does not run, nor is being started.
func systemdWaits(ctx context.Context) bool {
	path, err := place.Socket()
	if err != nil || runtime.GOOS != "linux" {
		return false
	}
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	text, err := systemctl("show", "--property=ActiveState,SubState,Listen", socketUnit, serviceUnit).output(ctx)
	says := func(line string) bool { return slices.Contains(strings.Split(text, "\n"), line) }
	return err == nil && says("SubState=listening") && says("Listen="+path+" (Stream)") &&
		!says("ActiveState=activating") && !heldByDaemon(path)
}

// heldByDaemon reports whether a daemon that systemd does not run made the socket at path: such a daemon holds the lock
// beside it.
func heldByDaemon(path string) bool {
	lock := flock.New(path+".lock", flock.SetFlag(os.O_RDWR)) // without O_CREATE: it is not made where there is none
	free, err := lock.TryLock()
	if err != nil {
		return false
	}
	lock.Close()
	return !free
}
