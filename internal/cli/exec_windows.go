package cli

import (
	"errors"
	"os"
	"os/exec"
)

const defaultShell = "cmd.exe"

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
