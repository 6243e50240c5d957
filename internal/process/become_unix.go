//go:build unix

package process

import (
	"errors"
	"os"
	"os/signal"
	"syscall"
)

// DefaultShell is the shell where $SHELL names none.
const DefaultShell = "/bin/sh"

// Become replaces this process by the command at path, so that exit status, signals and terminal are the command's own.
// As with execvp(3), and so with env(1), a script that does not say what runs it is the shell's.
func Become(path string, argv, env []string) error {
	ownCores()
	err := syscall.Exec(path, argv, env)
	if errors.Is(err, syscall.ENOEXEC) {
		err = syscall.Exec(DefaultShell, append([]string{DefaultShell, path}, argv[1:]...), env)
	}
	return err
}

// HandOver gives the signals that this process takes for itself back to the system, and those that it was started with
// ignored to nobody: so the command finds all of them as its caller left them.
func HandOver(ignored []os.Signal) {
	signal.Reset(os.Interrupt, syscall.SIGTERM)
	if len(ignored) > 0 {
		signal.Ignore(ignored...)
	}
}
