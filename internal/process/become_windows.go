package process

import (
	"os"
	"os/exec"
	"os/signal"
)

// DefaultShell is the shell where $SHELL names none.
const DefaultShell = "cmd.exe"

// HandOver leaves ^C to the command, which hears of it too.
func HandOver([]os.Signal) { signal.Ignore(os.Interrupt) }

// Become runs the command as a child: Windows has no exec. An *exec.ExitError has its status.
func Become(path string, argv, env []string) error {
	cmd := exec.Command(path, argv[1:]...)
	cmd.Env, cmd.Stdin, cmd.Stdout, cmd.Stderr = env, os.Stdin, os.Stdout, os.Stderr
	return cmd.Run()
}
