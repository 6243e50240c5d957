// Package process is what tcred does to its own process: it keeps secrets out of core dumps and stacks, and becomes
// another command.
package process

import (
	"bytes"
	"os"
	"os/signal"
	"runtime"
	"strings"
	"syscall"
)

// ExitQuit is the exit status after SIGQUIT, as Go's programs have it.
const ExitQuit = 2

// UnlessQuit is the status of command, or ExitQuit once SIGQUIT or SIGABRT, systemd's watchdog, asks for the stacks.
// Go's own answer has each function's arguments, and with them how long the passphrase is. Ours, without them, goes to
// say.
func UnlessQuit(command func() int, say func(text []byte)) int {
	quit := make(chan os.Signal, 1)
	signal.Notify(quit, syscall.SIGQUIT, syscall.SIGABRT)
	defer signal.Stop(quit)
	status := make(chan int, 1)
	go func() { status <- command() }()
	select {
	case s := <-status:
		return s
	case s := <-quit:
		say(append([]byte("tcred: "+s.String()+"\n\n"), withoutArguments(stacks())...))
		return ExitQuit
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
