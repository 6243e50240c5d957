//go:build unix

package keystore

import (
	"os/exec"
	"syscall"
)

// ownGroup makes the child lead a process group, so that what it starts (security on macOS) dies with it.
func ownGroup(cmd *exec.Cmd) { cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} }

func killGroup(cmd *exec.Cmd) error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
