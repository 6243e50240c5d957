// Package helper is the program that tools spawn on every call: it asks the daemon, copies the answer, and ends.
//
// Its run time is the price of every call, so the request is made by hand, without net/http, and nothing is imported
// that package os does not need anyway. A test holds it to that, a benchmark to the price. Most of the run is the
// start of any Go program; the request is about 0.40 ms of it, and fmt, strings, strconv and path/filepath would be
// 0.04 to 0.08 ms.
package helper

import (
	"errors"
	"io"
	"os"
	"syscall"
	"time"

	"github.com/tcred/tcred/api"
	"github.com/tcred/tcred/internal/human"
	"github.com/tcred/tcred/internal/place"
	"github.com/tcred/tcred/internal/say"
	"github.com/tcred/tcred/internal/socket"
)

// Main runs tcred-helper with the arguments after its name and returns its exit status. A credential goes to
// stdout, whole or not at all; failures go to stderr.
func Main(args []string) int {
	deadline := time.Now().Add(api.ClientTimeout)
	o, err := parseArgs(args, os.Getenv(api.EnvProfile))
	if err != nil {
		return fail(err)
	}
	switch {
	case o.help:
		return finish(writeAll(stdout, []byte(usage)))
	case o.version:
		return finish(writeAll(stdout, []byte("tcred-helper "+api.Version+"\n")))
	}
	a, err := ask(o, deadline)
	if err != nil {
		return fail(err)
	}
	if a.warn != "" {
		writeAll(stderr, []byte(say.WarningPrefix+human.OneLine(a.warn)+"\n"))
	}
	if a.status == 200 {
		return finish(writeAll(stdout, a.body))
	}
	if o.fromEnv {
		a.body = []byte(human.NamedBy(string(a.body), o.profile, api.EnvProfile))
	}
	writeAll(stderr, a.body)
	return a.exit
}

// ask makes the request, and makes it once more if the connection ends before the answer's first byte: the
// daemon it reached was about to stop.
func ask(o options, deadline time.Time) (answer, error) {
	path, err := place.Socket()
	if err != nil {
		return answer{}, err
	}
	config, err := place.Config()
	if err != nil {
		return answer{}, err
	}
	request := o.request(config)
	a, err := exchange(path, request, deadline)
	if errors.Is(err, socket.ErrNoAnswer) {
		a, err = exchange(path, request, deadline)
	}
	return a, err
}

func exchange(path string, request []byte, deadline time.Time) (answer, error) {
	began := time.Now()
	c, err := dial(path, deadline)
	if err != nil {
		return answer{}, err
	}
	connected := time.Now()
	// A failed write is not the last word, for a server may answer before it stops reading. Nor is the connection
	// closed here: the process is about to end, which does it for nothing.
	c.Write(request)
	a, err := readAnswer(&patient{conn: c, deadline: deadline})
	if os.Getenv(api.EnvLog) == "debug" {
		writeAll(stderr, []byte(debugLine(path, c.Server(), a, connected.Sub(began), time.Since(connected))))
	}
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return answer{}, socket.Unanswered(c.Server())
	}
	return a, err
}

// dial connects to the daemon, and starts it where none listens, of which a person who waits is told.
func dial(path string, deadline time.Time) (*socket.Conn, error) {
	c, err := socket.Dial(path, deadline)
	if !errors.Is(err, socket.ErrNotListening) {
		return c, err
	}
	slow := time.AfterFunc(say.Patience, func() { sayWaiting("the daemon to start") })
	defer slow.Stop()
	return socket.DialOrStart(path, "", deadline)
}

// patient reads from a connection until its deadline, and once it has waited for say.Patience it tells a person what
// for. The connection's own time limit wakes it: a timer would cost each warm call 5 %.
type patient struct {
	conn     *socket.Conn
	deadline time.Time
	told     bool
}

func (p *patient) Read(b []byte) (int, error) {
	if soon := time.Now().Add(say.Patience); !p.told && soon.Before(p.deadline) {
		p.told = true
		p.conn.SetDeadline(soon)
		n, err := p.conn.Read(b)
		p.conn.SetDeadline(p.deadline)
		if !errors.Is(err, os.ErrDeadlineExceeded) {
			return n, err
		}
		sayWaiting("the daemon")
	}
	return p.conn.Read(b)
}

// debugLine says who answered, where a credential is from, and how long each step took.
func debugLine(path string, pid int, a answer, connect, wait time.Duration) string {
	line := say.DebugPrefix + "socket " + path + ", process " + human.Itoa(pid, 10)
	if a.version != "" {
		line += ", version " + a.version
	}
	if a.layer != "" {
		line += ", profile " + a.profile + " from " + a.layer
	}
	return human.OneLine(line+"; connected in "+connect.String()+", answered in "+wait.String()) + "\n"
}

// sayWaiting tells a person who waits for what. A tool has no use for it.
func sayWaiting(what string) {
	if onTerminal(syscall.Stderr) {
		writeAll(stderr, []byte(say.Waiting(what)))
	}
}

func fail(err error) int {
	e := api.AsError(err)
	writeAll(stderr, []byte(say.Text(e)))
	return say.Exit(e)
}

// finish is the exit status after stdout was written. A reader that went away needs no message.
func finish(err error) int {
	if err == nil {
		return say.ExitOK
	}
	if err != syscall.EPIPE {
		fail(&api.Error{Code: api.Internal, Message: "cannot write to stdout: " + err.Error(), Cause: err})
	}
	return say.ExitFailed
}

// stdout and stderr are no os.File: a broken pipe on those would end the process by a signal.
func stdout(p []byte) (int, error) { return syscall.Write(syscall.Stdout, p) }

func stderr(p []byte) (int, error) { return syscall.Write(syscall.Stderr, p) }

// writeAll writes all of p by put.
func writeAll(put func([]byte) (int, error), p []byte) error {
	for len(p) > 0 {
		n, err := put(p)
		switch {
		case err == syscall.EINTR:
		case err == syscall.EAGAIN: // a pipe that our parent made non-blocking, and full
			time.Sleep(time.Millisecond)
		case err != nil:
			return err
		case n == 0:
			return io.ErrShortWrite
		default:
			p = p[n:]
		}
	}
	return nil
}
