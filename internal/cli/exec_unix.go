//go:build unix

package cli

import (
	"errors"
	"os"
	"os/signal"
	"syscall"
)

const defaultShell = "/bin/sh"

// become replaces this process, so that exit status, signals and terminal are the command's own. As with execvp(3), and so
// with env(1), a script that does not say what runs it is the shell's.
func become(path string, argv, env []string) error {
	err := syscall.Exec(path, argv, env)
	if errors.Is(err, syscall.ENOEXEC) {
		err = syscall.Exec(defaultShell, append([]string{defaultShell, path}, argv[1:]...), env)
	}
	return err
}

// handOver gives the signals that this process takes for itself back to the system, and those that it was started with
// ignored to nobody: so the command finds all of them as its caller left them.
func handOver(ignored []os.Signal) {
	signal.Reset(os.Interrupt, syscall.SIGTERM)
	if len(ignored) > 0 {
		signal.Ignore(ignored...)
	}
}
