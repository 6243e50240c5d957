//go:build unix

package keystore

import (
	"os/exec"
	"syscall"
)

// ownGroup puts the child into a process group of its own, which holds what it starts too (security on macOS).
func ownGroup(cmd *exec.Cmd) { cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} }

// killGroup kills the child and what it started.
func killGroup(cmd *exec.Cmd) error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
