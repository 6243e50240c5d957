package cli

import (
	"bytes"
	"os"
	"os/signal"
	"runtime"
	"strings"
	"syscall"
)

// exitQuit is the exit status after SIGQUIT, as Go's programs have it.
const exitQuit = 2

// unlessQuit is the status of command, or exitQuit once SIGQUIT or SIGABRT, systemd's watchdog, asks for the stacks. Go's
// own answer has each function's arguments, and with them how long the passphrase is.
func (a *app) unlessQuit(command func() int) int {
	quit := make(chan os.Signal, 1)
	signal.Notify(quit, syscall.SIGQUIT, syscall.SIGABRT)
	defer signal.Stop(quit)
	status := make(chan int, 1)
	go func() { status <- command() }()
	select {
	case s := <-status:
		return s
	case s := <-quit:
		text := append([]byte("tcred: "+s.String()+"\n\n"), withoutArguments(stacks())...)
		a.err.Write(text) // it ends all the same
		if log := a.crash.Load(); log != nil {
			log.Write(text)
		}
		return exitQuit
	}
}

// maxStacks is the most that is kept of all stacks, in bytes.
const maxStacks = 16 << 20

// stacks are those of every goroutine.
func stacks() []byte {
	for size := 64 << 10; ; size *= 2 {
		buf := make([]byte, size)
		if n := runtime.Stack(buf, true); n < size || size >= maxStacks {
			return buf[:n]
		}
	}
}

// withoutArguments is a text of stacks with no arguments of functions.
func withoutArguments(stacks []byte) []byte {
	var out bytes.Buffer
	for line := range strings.Lines(string(stacks)) {
		isFrame := strings.HasSuffix(line, ")\n") && !strings.HasPrefix(line, "\t")
		if open := strings.LastIndexByte(line, '('); isFrame && open >= 0 {
			line = line[:open] + "(...)\n"
		}
		out.WriteString(line)
	}
	return out.Bytes()
}
