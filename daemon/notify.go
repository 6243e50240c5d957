package daemon

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"os"
	"strconv"
	"time"

	"github.com/tcred/tcred/internal/clock"
)

// Notifier tells systemd how the daemon is doing. The nil Notifier, where nobody wants to know, tells nobody.
type Notifier struct {
	address  string        // a unix datagram socket; one that begins with @ is abstract
	watchdog time.Duration // within which systemd wants to hear of us; 0 is never
	patience time.Duration // with a systemd that is behind with reading: the daemon has others to serve
}

// Notify returns the Notifier that systemd asks for, nil if it asks for none. No child learns of it: the variables
// that ask are gone after it.
func Notify() *Notifier {
	address, pid, usec := os.Getenv("NOTIFY_SOCKET"), os.Getenv("WATCHDOG_PID"), os.Getenv("WATCHDOG_USEC")
	for _, name := range []string{"NOTIFY_SOCKET", "WATCHDOG_PID", "WATCHDOG_USEC"} {
		os.Unsetenv(name) // the name is a good one
	}
	if address == "" {
		return nil
	}
	n := &Notifier{address: address, patience: 5 * time.Second}
	if us, err := strconv.ParseInt(usec, 10, 64); err == nil && us > 0 && (pid == "" || pid == strconv.Itoa(os.Getpid())) {
		n.watchdog = time.Duration(us) * time.Microsecond
	}
	return n
}

// environ is what Notify takes out of the environment.
func (n *Notifier) environ() []string {
	if n == nil {
		return nil
	}
	env := []string{"NOTIFY_SOCKET=" + n.address}
	if n.watchdog > 0 {
		env = append(env, "WATCHDOG_PID="+strconv.Itoa(os.Getpid()),
			"WATCHDOG_USEC="+strconv.FormatInt(n.watchdog.Microseconds(), 10))
	}
	return env
}

// Ready says that the daemon listens.
func (n *Notifier) Ready() error { return n.send("READY=1") }

// Stopping says that the daemon finishes what it was asked and ends.
func (n *Notifier) Stopping() error { return n.send("STOPPING=1") }

// Feed keeps systemd's watchdog quiet until ctx ends: twice as often as it wants to hear of us, and each time only
// once alive proved that the daemon works. alive returns false if it did not before its context ended. One message
// that does not arrive is not the last one; the error is that of the last one.
func (n *Notifier) Feed(ctx context.Context, alive func(context.Context) bool) error {
	if n == nil || n.watchdog == 0 {
		return nil
	}
	var err error
	for {
		began := time.Now()
		if within(ctx, n.watchdog/2, alive) {
			err = n.send("WATCHDOG=1")
		}
		if !clock.Sleep(ctx, n.watchdog/2-time.Since(began)) {
			return err
		}
	}
}

func within(ctx context.Context, d time.Duration, alive func(context.Context) bool) bool {
	ctx, cancel := context.WithTimeout(ctx, d)
	defer cancel()
	return alive(ctx)
}

func (n *Notifier) send(state string) error {
	if n == nil {
		return nil
	}
	c, err := net.Dial("unixgram", n.address)
	if err != nil {
		return fmt.Errorf("telling systemd %s: %w", state, err)
	}
	defer c.Close()
	err = c.SetWriteDeadline(time.Now().Add(n.patience))
	if err == nil {
		_, err = c.Write([]byte(state))
	}
	if err != nil {
		return fmt.Errorf("telling systemd %s: %w", state, err)
	}
	return nil
}

// Follow says that the daemon is ready, feeds the watchdog until ctx ends, and then says that it stops. alive is as in
// Feed. A systemd that does not listen is no reason to end: what it was not told is logged.
func (n *Notifier) Follow(ctx context.Context, alive func(context.Context) bool, log *slog.Logger) {
	check := func(err error) {
		if err != nil {
			log.Warn("systemd was not told", "err", err)
		}
	}
	check(n.Ready())
	go func() { check(n.Feed(ctx, alive)) }()
	context.AfterFunc(ctx, func() { check(n.Stopping()) })
}
