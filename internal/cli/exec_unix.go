//go:build unix

package cli

import "syscall"

const defaultShell = "/bin/sh"

// become replaces this process, so that exit status, signals and terminal are the command's own.
func become(path string, argv, env []string) error {
	ownCores()
	return syscall.Exec(path, argv, env)
}
