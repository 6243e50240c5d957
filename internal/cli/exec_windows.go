package cli

import (
	"errors"
	"os"
	"os/exec"
	"os/signal"
)

const defaultShell = "cmd.exe"

// handOver leaves ^C to the command, which hears of it too.
func handOver([]os.Signal) { signal.Ignore(os.Interrupt) }

// become runs the command as a child: Windows has no exec.
func become(path string, argv, env []string) error {
	cmd := exec.Command(path, argv[1:]...)
	cmd.Env, cmd.Stdin, cmd.Stdout, cmd.Stderr = env, os.Stdin, os.Stdout, os.Stderr
	err := cmd.Run()
	var exited *exec.ExitError
	if errors.As(err, &exited) {
		return exitStatus(exited.ExitCode())
	}
	if err != nil {
		return err
	}
	return exitStatus(0)
}
